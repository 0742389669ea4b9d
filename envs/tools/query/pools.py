"""Names of people for all domains."""

from __future__ import annotations

from acgym.envs.tools.query.schema import words

FIRST_NAMES = words(
    "Ada Agnes Alba Amir Anita Anton Astrid Aurel Beatriz Bruno Carla Cedric Clara Dario Diana Edgar Elena Elif "
    "Emil Esther Fatima Felix Fiona Goran Greta Hanna Hassan Hugo Ida Imre Ines Ivan Jana Jorge Judith Kamil "
    "Karin Kofi Lars Leila Livia Luca Magda Marek Maria Milan Mina Nadia Nils Nora Olaf Olga Oscar Paula Pavel "
    "Pedro Petra Rafael Rita Rosa Sami Selma Simon Sonja Stefan Tamar Teresa Tomas Ulla Vera Viktor Wanda Yara "
    "Yusuf Zoe Zoltan"
)

LAST_NAMES = words(
    "Abbott Ackermann Adeyemi Alvarez Andersson Aoki Archer Baptiste Barlow Becker Belmonte Berg Bianchi Blom "
    "Brandt Brennan Cabrera Calder Carvalho Castellan Chandra Conti Cormier Dahl Danner Delgado Dimitrov Dorsey "
    "Duarte Eklund Ellery Engel Escobar Falk Farkas Ferrante Fisk Fontaine Fraser Galanis Garrity Gellner Gomes "
    "Granger Haddad Hale Halloran Hansen Hartley Haugen Hegedus Herrera Holloway Horvat Ibarra Ikeda Iversen "
    "Jankowski Jensen Kaplan Karlsen Keller Kessler Kimura Klein Kovacs Kruger Lacroix Lambert Landau Larsen "
    "Laurent Lehto Lindqvist Lombardi Lund Madsen Maier Marchetti Marlowe Matsuda Mendes Mercier Molnar Moreau "
    "Mueller Nakamura Navarro Nemeth Nielsen Novak Nyberg Oakes Okafor Oliveira Orlov Osman Ostrowski Palmer "
    "Papadakis Pereira Petrov Pichler Quayle Quiroga Ramsey Reuter Ricci Rojas Rosen Rossi Sadler Salazar "
    "Sandoval Sato Schaefer Selassie Sharma Sorensen Stahl Strand Suzuki Szabo Takeda Thorne Tierney Torres "
    "Ulrich Urbina Vance Varga Vasquez Vidal Vogel Wagner Waller Weber Weiss Whitlock Winther Wolff Yamada "
    "Ybarra Yilmaz Zapata Zeller"
)
