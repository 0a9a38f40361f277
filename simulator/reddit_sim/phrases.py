"""What people of the generated world say about phones. All of it is made up."""

BRANDS: dict[str, tuple[str, ...]] = {
    "Apple": ("iPhone 16", "iPhone 17", "iPhone 17 Pro", "iPhone SE"),
    "Samsung": ("Galaxy S25", "Galaxy S25 Ultra", "Galaxy Z Flip7", "Galaxy A56"),
    "Google": ("Pixel 9", "Pixel 10", "Pixel 10 Pro", "Pixel 9a"),
    "Nothing": ("Phone (3)", "Phone (3a)"),
    "OnePlus": ("OnePlus 13", "OnePlus Nord 5"),
    "Xiaomi": ("Xiaomi 15", "Redmi Note 14"),
}

# Aspect: (what it is called, praise, complaint, plain statement); {x} is the product.
ASPECTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "battery": (
        ("battery life", "the battery", "standby time"),
        (
            "the {x} easily gets me through two days on one charge",
            "battery life on the {x} is superb, I go to bed with 40% left",
            "charging the {x} takes half an hour and it lasts forever",
        ),
        (
            "my {x} is dead by four in the afternoon",
            "the {x} loses 20% overnight doing nothing, the battery is terrible",
            "battery drain on the {x} after the last update is a joke",
        ),
        ("the {x} has a 5000 mAh battery", "does anyone know what battery health the {x} reports after a year?"),
    ),
    "camera": (
        ("the camera", "low light shots", "video"),
        (
            "photos from the {x} look stunning even at night",
            "the zoom on the {x} blew me away",
            "I love how natural skin looks on the {x}",
        ),
        (
            "the {x} smears every face like a watercolour",
            "shutter lag on the {x} ruins every picture of my kids",
            "video from the {x} is grainy the moment the sun sets",
        ),
        ("the {x} has three lenses", "which gallery app do you use on the {x}?"),
    ),
    "display": (
        ("the screen", "the display", "brightness"),
        ("the screen on the {x} is gorgeous in direct sun", "the {x} display is the smoothest I have owned"),
        ("green tint on my {x} again", "the {x} screen scratches if you look at it wrong"),
        ("the {x} display is 6.3 inches", "is the {x} panel LTPO?"),
    ),
    "price": (
        ("the price", "value for money"),
        ("for what it costs the {x} is unbeatable", "got the {x} on sale, best money I ever spent"),
        ("the {x} is a ridiculous rip-off at that price", "they want how much for the {x}? no thanks"),
        ("the {x} is 799 here", "has anyone seen the {x} in a sale this week?"),
    ),
    "performance": (
        ("speed", "performance", "heat"),
        ("the {x} is buttery smooth, never a stutter", "games run cool and fast on the {x}"),
        ("the {x} turns into a hand warmer after five minutes", "my {x} stutters just opening the keyboard"),
        ("the {x} has 12 GB of memory", "what chip is in the {x} sold in Europe?"),
    ),
    "software": (
        ("software", "updates", "the interface"),
        ("updates for the {x} arrive the day they come out, I am impressed", "the {x} software is clean and a joy"),
        ("the {x} came full of bloatware and ads", "the update bricked my {x}, unbelievable"),
        ("the {x} is on the October patch", "how do you turn off the assistant on the {x}?"),
    ),
}

COMPARISONS = (
    "the {a} is way better than the {b} when it comes to {aspect}",
    "coming from a {b}, {aspect} on the {a} is a huge step up",
    "I had both: {aspect} on the {b} doesn't come close to the {a}",
    "{a} > {b} for {aspect}, not even close",
)
SARCASM = (
    "Oh great, another update and the {x} battery lasts a whole three hours. Amazing.",
    "Sure, who needs a working {x} camera anyway? Brilliant job.",
    "Love how my {x} doubles as a space heater. Truly the future.",
)
SPAM = (
    "BEST DEALS on {x} cases!!! 70% OFF today only at totally-real-cases.example",
    "Make money reviewing the {x} from home, ask me how",
)
BOT = (
    "Your submission looks like a question about the {x}. Please read the pinned thread first. *I am a bot, and this"
    " action was performed automatically.*",
)
NEUTRAL = (
    "Which case do you use?",
    "Following, same question here.",
    "What carrier are you on?",
    "Have you tried restarting it?",
    "Source?",
    "This was posted yesterday already.",
    "Thanks, that solved it.",
    "It depends on what you need it for.",
)
TITLES = (
    "Thoughts on {x} after a month",
    "{x}: should I buy it?",
    "Is it just me or is {aspect} on the {x} different lately?",
    "{x} vs {y}, help me decide",
    "Switched to the {x}, here is what I found",
    "Question about {aspect} on my {x}",
    "{x} {aspect} megathread",
    "Unpopular opinion about the {x}",
)
OPENERS = (
    "",
    "Honestly, ",
    "Not gonna lie, ",
    "After six months: ",
    "In my experience ",
    "Update: ",
    "Hot take: ",
    "fwiw ",
)
CLOSERS = (
    "",
    "",
    " 😀",
    " 🔥",
    "\n\nEdit: typo.",
    " (see [this](https://example.com/review))",
    "\n\n> what did you expect\n\nNot that.",
    " **Period.**",
    "\u2028Sent from my phone",
    " Anyone else?",
)
MORE = (
    " I use it all day for work.",
    " Bought it in spring.",
    " My partner says the same.",
    " Maybe mine is just a lemon.",
    " Your mileage may vary.",
    " I compared it in the shop before.",
)
