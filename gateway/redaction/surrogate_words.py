"""Words that stand-ins are made of: names that fit anybody, towns and streets that are on no map we know of."""

from __future__ import annotations

GIVEN = (
    "Ainsley", "Arden", "Aubrey", "Avery", "Bellamy", "Blair", "Briar", "Brody", "Camden", "Carey", "Cassidy", "Darby",
    "Ellery", "Emery", "Finley", "Harley", "Hollis", "Indigo", "Jules", "Kelsey", "Kendall", "Kerry", "Lennox",
    "Linden", "Marlow", "Merritt", "Nico", "Oakley", "Peyton", "Quinn", "Ramsey", "Reese", "Remy", "Robin", "Rory",
    "Rowan", "Shiloh", "Skyler", "Tatum", "Teagan", "Toby", "Wren", "Zion",
)  # fmt: skip
"""Given names of no evident gender."""

FAMILY = (
    "Ashdown", "Barlowe", "Brackley", "Caldbeck", "Cranmore", "Dunmore", "Elsworth", "Fenwick", "Garrick", "Halstead", "Hartwell",
    "Inglewood", "Jessop", "Kirkwood", "Langford", "Merriden", "Norbury", "Oakhurst", "Penrose", "Quenby", "Ravenhill", "Selwick",
    "Thornbury", "Underhill", "Verwood", "Wexcombe", "Yarwood", "Aldersey", "Birchall", "Copeland", "Driscoll", "Everard",
    "Foxley", "Gresham", "Holloway", "Ibbotson", "Kenworth", "Lockhart", "Maddern", "Netherby", "Osgood", "Pemberly",
)  # fmt: skip

GIVEN_HINDI = (
    "किरण", "शशि", "सुमन", "कमल", "रजनी", "ज्योति", "संतोष", "तरुण", "नूर", "मधु", "आकाश", "प्रेम", "वसंत", "रोशन",
)  # fmt: skip
FAMILY_HINDI = (
    "वर्मा", "कपूर", "मेहता", "जोशी", "भाटिया", "चावला", "दुबे", "गोयल", "कश्यप", "मिश्रा", "ओझा", "सक्सेना", "त्रिवेदी", "वोहरा",
)  # fmt: skip

TOWNS = (
    "Ashbrook", "Millhaven", "Brackenford", "Eastmere", "Fairhollow", "Glenwick", "Harrowdale", "Kingsmarch", "Larkfield",
    "Marshgate", "Northcliffe", "Oldbridge", "Pinecroft", "Queensferry", "Redwater", "Stonebeck", "Thistledown", "Uppermoor",
    "Valebrook", "Westhollow", "Yewbarrow", "Amberley", "Coldspring", "Duskfield",
)  # fmt: skip

STREETS = (
    "Alderbank", "Beechmont", "Cloverfield", "Dovecote", "Elmhurst", "Foxglove", "Greystone", "Hawthorne", "Juniper", "Kestrel",
    "Larchwood", "Meadowlark", "Nettlefield", "Orchardside", "Partridge", "Rushbrook", "Swallowtail", "Tanglewood", "Windmere",
)  # fmt: skip
