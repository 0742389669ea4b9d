"""What the office of ACB/ToolOperation-v0 is about: subjects, meetings, items, tickets, sentences."""

from __future__ import annotations

from acgym.envs.tools.query.schema import words

SUBJECTS = words(
    "Parking permits|Window cleaning rota|Draft of the annual report|Broken coffee machine|Photo day|"
    "Lease renewal|Summer closing hours|Fire drill|New badge photos|Invoice for the projector|"
    "Catering for the open day|Paper recycling|Minutes of the works council|Lost umbrella|Holiday calendar|"
    "Quote for new chairs|Visit of the inspectors|Bike shelter|Feedback on the brochure|Key to the archive|"
    "Train tickets to Graz|Heating on the third floor|Password renewal|Guest list for the reception|"
    "Insurance form|Museum tickets|Supplier survey|Noise in the stairwell|Spring cleaning|"
    "Translation of the manual|Choir rehearsal|First aid course|Old monitors|Signature for the contract|"
    "Water leak|Intern applications|Lunch vouchers|Printer toner|Reference letter|Stand at the trade fair|"
    "Garden plot|Moving boxes|Ideas for the newsletter|Software licences|Speaker for the workshop|Bank details|"
    "Room plants|Vaccination day",
    "|",
)
EVENTS = words(
    "Budget review|Welcome breakfast|Interview panel|Safety briefing|Press call|Design critique|Payroll check|"
    "Board lunch|Quarterly planning|Stock count|Language course|Hiring round|Supplier meeting|Book club|"
    "Roadmap session|Legal update|Site inspection|Data clean-up|Farewell coffee|Team photo|Risk workshop|"
    "Sales stand-up|Contract talks|Tool training|Handover meeting|Newsletter meeting|Mentoring hour|Archive tour|"
    "Release check|Wellness hour|Print approval|Union meeting|Customer demo|Year-end closing|Kitchen duty draw|"
    "Grant writing|Museum visit|Reading circle|Phone conference|Exhibition set-up",
    "|",
)
TICKETS = words(
    "Login page stays blank|Invoice shows the wrong address|Scanner jams after ten pages|"
    "Delivery arrived without lid|Cannot change the language|Refund has not arrived|App closes on start|"
    "Wrong size delivered|Heater makes a noise|Export misses the last row|Voucher is not accepted|"
    "Two parcels instead of one|Battery does not charge|Screen has a green line|Order confirmation never came|"
    "Map shows the old office|Subscription renewed by mistake|Lamp flickers|Newsletter cannot be cancelled|"
    "Door sensor sends false alarms|Password mail goes to spam|Missing screws in the box|"
    "Discount was not applied|Photo upload stops half way|Alarm cannot be switched off|"
    "Account locked after holiday|Handle came off|Calendar sync is a day late|Sound is out of step|Pump leaks|"
    "Report opens in the wrong font|Bill is in the wrong currency|Cable too short|Search finds nothing|"
    "Filter is clogged|Seat reservation lost|Timer resets at midnight|Label cannot be read|Reminder comes twice|"
    "Sticker on the glass",
    "|",
)
CUSTOMERS = words(
    "Alder Hotels|Brightwater Dental|Cobalt Cycles|Dune Travel|Eastgate School|Fennel Kitchen|Granite Gym|"
    "Harbour Books|Indigo Prints|Jasper Opticians|Kiln Pottery|Larch Nursery|Mistral Air|Northwind Dairy|"
    "Opal Theatre|Pinewood Camping|Quill Stationery|Redleaf Tea|Sundial Energy|Tidewater Fish|Umbra Lighting|"
    "Velo Couriers|Willow Vets|Zephyr Fans",
    "|",
)
ITEMS = words(
    "desk lamps|staplers|whiteboard pens|printer paper|coffee filters|name badges|extension leads|envelopes|"
    "batteries|headsets|folders|sticky notes|rubber gloves|tea towels|light bulbs|padlocks|cable ties|mouse mats|"
    "paper cups|flip charts|hole punches|ink cartridges|door stops|ear plugs|plant pots|first aid kits|rulers|"
    "notebooks|dust masks|key rings|glue sticks|parcel tape|thermometers|umbrellas|wall clocks|hand soap|"
    "calculators|erasers|clipboards|laminating pouches",
    "|",
)
CITIES = words("Graz Lyon Turin Bergen Porto Gdansk Leeds Ghent Malmo Zadar Basel Kassel Tartu Cork Lille Brno")
COURSES = words(
    "Fire safety|Spreadsheet basics|Presenting well|First aid|Time management|Data protection|Negotiation|"
    "Ladder safety|Plain writing|Project budgets|Conflict talks|Food hygiene",
    "|",
)
ROOMS = words("Ash Beech Cedar Elm Fir Hazel Larch Maple Oak Pine Rowan Spruce")
SENTENCES = words(
    "I am out of the office until Monday|The parcel is at the front desk|Please bring two copies|"
    "It is all settled now|The new date suits me well|We need your signature by Friday|The lift is working again|"
    "Nothing has changed on our side|You can pick up the keys at noon|The numbers are final|"
    "Please use the side entrance|I will call you this afternoon|The repair will take three days|"
    "We have ordered a replacement|Your badge is ready|The form has to be filled in again|"
    "Parking is free on that day|The list is complete|We will send somebody tomorrow|The price includes delivery|"
    "Thank you for the quick answer|The old version was the right one|Lunch will be provided|"
    "The contract is in the mail|Please check page four|Both offers are still open|The key is with the porter|"
    "I agree with all points|The heating comes on at six|There is one seat left|"
    "We are moving to the second floor|The photographer comes at ten|The invoice has been paid|"
    "No parking on Thursday|The box was empty|Please forward this to nobody|The room is locked after seven|"
    "I have added my comments|The meeting notes are in the archive|Wear sturdy shoes",
    "|",
)
NOTES = words(
    "Customer prefers to be called in the morning|Sent a new lid by post|Waiting for the warehouse|"
    "Second complaint this year|Spare part is out of stock|Customer sent a photo|Fault could be reproduced|"
    "Refund approved by the shop|Asked for the order number|Serial number checked|Fixed in the next version|"
    "Customer is on holiday until June|Supplier has been told|Repair costs more than the device|"
    "Address corrected in the system|Call back after five|Password was reset by hand|Old model, no longer made|"
    "Customer wants a written answer|Parcel service confirmed the loss|Discount added by hand|"
    "Error only on older phones|Technician booked|Customer will send the device",
    "|",
)
TEXTS = words(
    "Could you have a look when there is time?|Nothing urgent, just so that you know.|"
    "I need an answer this week.|See the attachment for the details.|As discussed on the phone.|"
    "Please pass it on to whoever is concerned.|This is the second reminder.|What do you think?|"
    "All the details are on the notice board.|I have not heard back, so I am asking again.",
    "|",
)
