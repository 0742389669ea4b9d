"""Jobs about documents: what may be shredded, and where what was scanned belongs."""

from __future__ import annotations

from datetime import date

from acgym.envs.world.office.staff import Job, Office, in_words
from acgym.types import Json

_KEEP_EVAL = """\
How long we keep things

Invoices are kept for {invoice} years from the day on which they were written, contracts for {contract} years from the
day on which they ended, applications for {application} months from the day on which they came in. Minutes are kept for
ever. What has been kept long enough is moved to /shred and keeps its name there.
While a company stands in /legal/holds.txt, nothing that names it is shredded, however old it is.
"""
_KEEP_EVAL_2 = """\
Archive

What may go, goes to /shred and is called there what it was called before. May go: a contract that ended more than
{contract} years ago; an application that reached us more than {application} months ago; an invoice that is more than
{invoice} years old. Minutes of meetings never go, and neither does a paper with the name of a company on it that is
listed in /legal/holds.txt.
"""
_KEEP_TRAIN_2 = """\
Paper that is too old

                 may go after
invoices         {invoice} years (counted from the date on them)
contracts        {contract} years (counted from the day of their end)
applications     {application} months (counted from the day when they came)
minutes          never
Nothing that concerns a company in /legal/holds.txt may go at all. Whatever goes, is moved to /shred; do not rename it.
"""
_KEEP_TRAIN = """\
Old papers

Move to /shred, under the same name, what need not be kept any longer:
- bills, {invoice} years after their date,
- agreements, {contract} years after their end (what still runs, stays),
- applications for work, {application} months after they arrived.
Minutes of meetings stay. So does everything that mentions a company in /legal/holds.txt.
"""
_TEXTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "invoice": (
        ("Bill no. {n}\n{company}\nFor goods delivered we ask you to pay {sum} EUR.\nWritten on {day}.",
         "{company}, {day}\nInvoice {n}: {sum} EUR, payable within 30 days.",
         "{sum} EUR for repairs, no. {n}\n{company}\nDate of invoice: {day}"),
        ("To {company}\n{day}\nYou owe us {sum} EUR for our work. Invoice number {n}.",
         "Invoice {n} of {day}, {sum} EUR, {company}."),
    ),
    "contract": (
        ("Between us and {company} it was agreed that they clean our halls.\nThis agreement ended on {day}.",
         "Lease of two vans, {company}, no. {n}. Given back, and the contract closed, on {day}.",
         "{company} prints our catalogues. Contract {n}; we gave notice, and it was over on {day}."),
        ("Contract {n} with {company} about the care of our lifts. Last day: {day}.",
         "{company} has supplied our canteen. Both sides ended the contract on {day}."),
    ),
    "application": (
        ("I should like to work for you as a welder.\nCame in on {day}.",
         "Application as a clerk, with four certificates. Received {day}.",
         "Curriculum vitae of a draughtswoman who wants to work here. Stamp: {day}."),
        ("A letter of somebody who wants to learn a trade here. Arrived {day}.",
         "Would you have work for me in the store? (In: {day})"),
    ),
    "minutes": (
        ("Minutes of the meeting of {day}. We spoke about {company} and about parking.",
         "Works meeting, {day}. Present: eleven. Minutes.",
         "Minutes. On {day} the board talked about a bill of {company} and a contract for the lift."),
        ("Minutes, {day}: the new gate, the old boiler, {company}.",
         "What was said on {day} about holidays. Minutes of the board."),
    ),
}  # fmt: skip
_FILE_EVAL = """\
Where scans belong

The code of a company stands in /suppliers/codes.csv. Every scan is moved and gets a new name:
invoices to /files/invoices/CODE-NUMBER.txt, delivery notes to /files/deliveries/CODE-DATE.txt (the date of delivery as
year-month-day, such as 2031-05-07), offers to /files/offers/CODE-NUMBER.txt.
An offer whose time has run out by today is moved to /shred instead and keeps its name.
"""
_FILE_EVAL_2 = """\
From the scanner to the shelf

A scan is moved, never copied. Its new name begins with the code of the company (/suppliers/codes.csv) and a hyphen.
Then comes, for a delivery note, the day on which the goods came (2031-05-07) and for all else the number of the paper;
.txt ends it. Delivery notes live in /files/deliveries, invoices in /files/invoices, offers in /files/offers.
But offers that nobody can accept any more go to /shred, and nobody renames them.
"""
_FILE_TRAIN_2 = """\
Scanned papers

1. Find out what it is: a delivery note (/files/deliveries), an invoice (/files/invoices) or an offer (/files/offers).
2. An offer whose last day lies behind us is moved to /shred as it is. You are done.
3. Look the company up in /suppliers/codes.csv.
4. Move the scan to its folder as CODE-NUMBER.txt, a delivery note as CODE-DATE.txt with a date such as 2031-05-07.
"""
_FILE_TRAIN = """\
Filing

Scans do not stay in /incoming. They are moved to
  /files/offers/CODE-NUMBER.txt      an offer that can still be accepted today
  /shred                             an offer that can not, under the name that it has
  /files/deliveries/CODE-DATE.txt    a delivery note; DATE is the day of delivery, as in 2031-05-07
  /files/invoices/CODE-NUMBER.txt    an invoice
CODE is what /suppliers/codes.csv gives for the company.
"""
_SCANS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "invoices": (
        ("{company}\nWe have charged you {sum} EUR. Number {n}, of {day}.",
         "Invoice {n}, {company}, {day}: {sum} EUR."),
        ("{company} bills you {sum} EUR on {day}; our number is {n}.",
         "No. {n}. {day}. Please pay {sum} EUR to {company}."),
    ),
    "deliveries": (
        ("Handed over by {company} on {day}: nine crates. Slip {n}.",
         "{company}, delivery note {n}. Goods received on {day}."),
        ("On {day} our driver brought you four pallets. {company}, slip {n}.",
         "Delivery note {n} of {company}, delivered {day}."),
    ),
    "offers": (
        ("{company} would do the work for {sum} EUR. Offer {n}, good until {day}.",
         "Offer {n}: {sum} EUR. We keep to it up to and including {day}. {company}"),
        ("Our price would be {sum} EUR ({company}, offer {n}). You can accept until {day}.",
         "{company} offers you this for {sum} EUR. Number {n}, valid until {day}."),
    ),
}  # fmt: skip


def retention(office: Office) -> Job:
    """Shred what has been kept long enough, out of four to eight papers."""
    draw = office.draw
    years = {"invoice": draw.between(5, 9), "contract": draw.between(3, 8), "application": draw.pick((6, 9, 12))}
    policy = office.handbook(
        "keeping", office.say([_KEEP_EVAL, _KEEP_EVAL_2], [_KEEP_TRAIN, _KEEP_TRAIN_2]).format(**years)
    )
    held = office.companies[0]
    office.files["/legal/holds.txt"] = f"Until further notice nothing may be destroyed that concerns:\n{held}\n"
    box = f"/archive/box-{draw.between(10, 99)}"
    rows: list[list[Json]] = []
    acts = []
    kinds = ["invoice", "invoice", "contract", "application", "minutes", "contract", "application", "invoice"]
    chosen = draw.shuffled(kinds[: {1: 4, 2: 4, 3: 5, 4: 6, 5: 8}[office.level]])
    for kind in chosen:
        due = draw.chance(0.5) or (kind == chosen[-1] and not rows)
        day = _day(office, kind, years.get(kind, 1), due)
        company = held if office.level >= 3 and draw.chance(0.25) and rows else draw.pick(office.companies[1:])
        n, path = office.number(), f"{box}/doc-{office.number()}.txt"
        form = office.say(*_TEXTS[kind])
        office.files[path] = form.format(n=n, company=company, sum=draw.between(90, 4000), day=in_words(day)) + "\n"
        if due and kind != "minutes" and not (company == held and "{company}" in form):
            rows += [["file", path, None], ["file", f"/shred/{path.rpartition('/')[2]}", office.files[path]]]
            acts += [f"mv {path} /shred/", f"mv {path} /shred/"]
    if not rows:
        return retention(office)
    ask = office.say(
        [
            f"Thin out {box}: what we need not keep any longer has to go.",
            f"{box} is full. Take out what our rules let us destroy.",
            f"See what in {box} is old enough to be got rid of, and do so as the house wants it.",
        ],
        [
            f"Go through {box} and sort out what is past its time.",
            f"Please make room in {box}, by the rules for old papers.",
            f"{box} holds things that may be destroyed by now. Deal with them as prescribed.",
        ],
    )
    hint = f" The rules are in {policy}." if office.level <= 2 else ""
    return Job("retention", ask + hint, rows, [f"cat {policy}", "cat /legal/holds.txt", f"cat {box}/*"], acts)


def _day(office: Office, kind: str, span: int, due: bool) -> date:
    """Draw a day clearly before or after the end of the time of keeping."""
    length = span * 30 if kind == "application" else span * 365
    return office.days_ago(length + 40, length + 500) if due else office.days_ago(max(5, length - 600), length - 40)


def filing(office: Office) -> Job:
    """Move one to four scans to where they belong."""
    draw = office.draw
    policy = office.handbook("filing", office.say([_FILE_EVAL, _FILE_EVAL_2], [_FILE_TRAIN, _FILE_TRAIN_2]))
    companies = office.companies[:8]
    codes = {
        company: "".join([word[:2].upper() for word in company.split()]) + str(draw.between(10, 99))
        for company in companies
    }
    office.files["/suppliers/codes.csv"] = "\n".join(
        ["company,code", *(f"{one},{code}" for one, code in codes.items()), ""]
    )
    office.folders += ["/files/invoices", "/files/deliveries", "/files/offers"]
    rows: list[list[Json]] = []
    acts = []
    scans = []
    for _ in range({1: 1, 2: 1, 3: 2, 4: 3, 5: 3}[office.level]):
        kind = draw.pick(("invoices", "deliveries", "offers"))
        company, n = draw.pick(companies), office.number()
        late = draw.chance(0.5)
        day = office.days_ago(-30, -2) if kind == "offers" and not late else office.days_ago(2, 40)
        path = f"/incoming/scan-{office.number()}.txt"
        form = office.say(*_SCANS[kind])
        office.files[path] = form.format(n=n, company=company, sum=draw.between(90, 4000), day=in_words(day)) + "\n"
        name = f"{codes[company]}-{day.isoformat() if kind == 'deliveries' else n}.txt"
        goal = f"/files/{kind}/{name}"
        if kind == "offers" and late:
            goal = f"/shred/{path.rpartition('/')[2]}"
        rows += [["file", path, None], ["file", goal, office.files[path]]]
        acts += [f"mv {path} {goal}", f"mv {path} {goal}"]
        scans.append(path)
    listed = " and ".join([", ".join(scans[:-1]), scans[-1]]) if len(scans) > 1 else scans[0]
    ask = office.say(
        [
            f"Put {listed} where it belongs." if len(scans) == 1 else f"Put {listed} where they belong.",
            f"File {listed}.",
        ],
        [f"{listed} should be filed today.", f"Please file {listed}."],
    )
    hint = f" The rules are in {policy}." if office.level <= 2 else ""
    reads = [f"cat {policy}", f"cat {' '.join(scans)}", "cat /suppliers/codes.csv"]
    return Job("filing", ask + hint, rows, reads, acts)
