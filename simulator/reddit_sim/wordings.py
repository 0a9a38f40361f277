"""What the people of a varied world say: the phrases of the plain one many times over.

`[a|b]` stands for one of these words. No two honest people should happen upon the same text on one day.
"""

import random
import re

_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")

# Aspect: (what it is called, praise, complaint, plain statement); {x} is the product.
ASPECTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "battery": (
        ("battery life", "the battery", "standby time", "charging"),
        (
            "the {x} [easily|comfortably|always] gets me through [two days|a day and a half|a long weekend] on"
            " one charge",
            "battery life on the {x} is [superb|excellent|fantastic|brilliant], I [go to bed|get home|finish the day]"
            " with [30|40|50|60]% left",
            "[really happy|so pleased|very impressed] with the battery of my {x}, [two|three] days"
            " [of travel|of hiking|with my parents] and I never missed a charger",
            "charging the {x} takes [half an hour|forty minutes|no time at all] and"
            " [it lasts forever|it lasts and lasts]",
            "the battery of the {x} is the best I have [had|owned|used] [so far|in years|in any phone]",
            "standby on the {x} is [amazing|excellent|great], it used only [one|two|three] percent"
            " [overnight|while I slept|in a whole night]",
            "the {x} still has [55|60|70]% of its battery at [midnight|bedtime|the end of my shift]",
            "I left the charger of the {x} at home [all weekend|for two days|last week] and"
            " [did not notice|it did not matter]",
        ),
        (
            "the battery of my {x} is [dead|empty|gone] by [two|three|four|five] in the afternoon,"
            " [so annoying|really disappointing|what a joke]",
            "the {x} [loses|burns] [15|20|25]% overnight doing nothing, the battery is [terrible|awful|horrible]",
            "battery drain on [the|my] {x} [since the weekend|for two weeks now|in standby] is"
            " [awful|a joke|ridiculous|terrible]",
            "I have to charge my {x} [twice|three times] a day, [that is pathetic|so disappointing|which is awful]",
            "the battery of my {x} is [horrible|a disappointment|a disaster], [four|five|six] hours and it is gone",
            "I [hate|cannot stand] how [badly|quickly] the battery of the {x} drains,"
            " it [never makes it to the evening|dies before dinner]",
            "my {x} is dead by [two|three|four|five] in the [afternoon|afternoon again|afternoon as always]",
            "the {x} wants the charger again [before lunch|by noon|on the way home]",
            "I can watch the battery of the {x} go from [80|60|50] to [20|10|5]"
            " [during one film|on the way to work|in an hour]",
        ),
        (
            "the {x} has a [4500|5000|5500] mAh battery",
            "[does anyone know|can somebody tell me] what battery health the {x} reports after"
            " [a year|two years|six months]?",
            "which [charger|power bank] do you use [with|for] the {x}?",
            "how many [watts|hours] does the {x} [take|need] when charging?",
        ),
    ),
    "camera": (
        ("the camera", "low light shots", "video", "zoom"),
        (
            "[photos|pictures|portraits and photos] from the {x} look [stunning|gorgeous|beautiful|fantastic]"
            " [even at night|in any weather|every single time]",
            "the zoom on the {x} [blew me away|is amazing|is fantastic], I could [read|see] every"
            " [sign|window|bird] across the [lake|street|stadium]",
            "I [love|adore] how natural [skin is|faces are|the sky comes out] in photos from the {x}",
            "the {x} camera is [excellent|superb|brilliant] [for concerts|for my kids|on holiday|with pets]",
            "video from the {x} is [great|excellent|wonderful],"
            " [steady and sharp|rich and clear|steady even when I run]",
            "[best|finest] camera I have [had|owned|used] [in years|so far|in a phone], the {x} is [great|wonderful]",
            "the zoom on the {x} blew [me|us all|my father] away [on holiday|at the zoo|last night]",
            "photos from the {x} [could hang on a wall|need no editing at all|made my sister ask for mine]",
        ),
        (
            "the {x} camera smears every [face|wall|tree] like a watercolour, [awful|horrible|terrible]",
            "shutter lag on the {x} ruins [every picture|half the pictures|most pictures] of my"
            " [kids|dog|cat|daughter]",
            "video from the {x} is [grainy|blurry|a mess] the moment the [sun sets|lights go out|kids move]",
            "I am [disappointed|annoyed|fed up] with the {x} camera, [faces|night shots|pets] come out"
            " [blurry|grey|soft and muddy]",
            "photos from the {x} are [terrible|awful|bad] [indoors|at night|at concerts], my old phone was better",
            "the zoom of the {x} is [useless|a gimmick|worthless], [everything turns to mush|not one leaf is sharp]",
            "the {x} smears every face like a [watercolour|wet painting|melted candle]",
            "[faces|trees|cats] in {x} photos [look like oil paintings|turn to wax|have no edges]",
        ),
        (
            "the {x} has [two|three|four] lenses",
            "which gallery app do you use on the {x}?",
            "[does|can] the {x} [record|take] video [with two lenses at once|from the front and the back]?",
            "where do I find the [zoom|video|portrait] settings in the {x} camera?",
        ),
    ),
    "display": (
        ("the screen", "the display", "brightness"),
        (
            "the screen on the {x} is [gorgeous|beautiful|fantastic|wonderful] [in direct sun|on the train|at night]",
            "the {x} display is the [best|nicest|finest] I have [owned|had|seen] [so far|in years|on any phone]",
            "I [love|adore] the [screen|display] of my {x}, [movies|old films|books] [are a joy|are a pleasure] on it",
            "brightness on the {x} is [excellent|amazing|superb], I can read it [at the beach|in the snow|anywhere]",
            "coming back to the {x} display [every morning|after work|after a week away] is a [joy|delight|pleasure]",
            "the {x} display makes [my old one|every other one|the one at work] look [grey|like paper|like a toy]",
            "I [stopped|gave up] reading on paper [because of|since I have] the {x} screen",
        ),
        (
            "green tint on my {x} again, [so annoying|I am fed up|what a joke], it is the [second|third] one",
            "the {x} screen is [awful|terrible|horrible] [outdoors|in the sun|after dark], I [hate|regret] it",
            "the display of my {x} flickers [all the time|every evening|whenever I read], it is"
            " [terrible|awful|unbearable]",
            "I am [disappointed|annoyed] by the {x} screen, [blotchy and yellow|dull and grey|too dim and too blue]",
            "the {x} display gives me [headaches|sore eyes|a headache] after [an hour|ten minutes|one chapter],"
            " [horrible|really bad]",
            "green tint on my {x} again[| this morning| for the third time]",
            "the {x} screen has [a line|a stain|three dots] [after a month|since Tuesday|already]",
        ),
        (
            "the {x} display is [6.1|6.3|6.7] inches",
            "is the {x} panel [LTPO|flat|curved] [or not|this year|in this version]?",
            "what [brightness|resolution] [have you set|do you use] on the {x}?",
            "how do you clean the screen of [your|the] {x}?",
        ),
    ),
    "price": (
        ("the price", "value for money"),
        (
            "for what it costs the {x} is [unbeatable|excellent|fantastic|brilliant]",
            "got the {x} on sale [last week|in March|at the airport|downtown], best money I ever spent",
            "[great|excellent|amazing] value, the {x}, [I would buy it again|no regrets at all|very happy with it]",
            "the price of the {x} is [great|excellent|fantastic] for what you get,"
            " [my sister|my boss|my neighbour] got one too",
            "the {x} is worth it, every [cent|penny|bit] of the price, I [love|adore] it",
            "got the {x} on sale [again|for my mother|for both of us], best money I ever spent",
            "the {x} does [all|nearly all] that the [big|famous] ones do at half the price",
        ),
        (
            "the {x} is a ridiculous rip-off at that price, [no way|never again|I am out]",
            "the {x} is [badly|terribly|horribly] overpriced, [what a waste of money|I regret buying it]",
            "paying that price for the {x} was [a mistake|a waste|stupid], I [regret it|feel ripped off]",
            "the price of the {x} is [insane|absurd|ridiculous|a joke] [this year|over here|without a contract]",
            "I could [rent a flat|buy a bike|go on holiday] for the price of [the|one] {x}",
            "they want [a month of rent|two salaries|how much] for the {x}? [no thanks|not from me|let them], at"
            " that price I keep mine",
        ),
        (
            "[has anyone seen|did anybody find] the {x} in a sale this [week|month|weekend]?",
            "what price did you [pay|get] for [the|your] {x}?",
            "the {x} is [699|749|799|849] [here|in the shop|at my place], [same as|like]"
            " [in spring|last month|everywhere]",
            "the price of the {x} is [699|749|799|849] [with a contract|without a contract|in my country]",
        ),
    ),
    "performance": (
        ("speed", "performance", "heat"),
        (
            "the {x} is [buttery smooth|smooth as silk|smooth and quick], never a stutter, I [love|adore] it",
            "games run [cool and fast|perfectly smooth|wonderfully smooth] on the {x}",
            "performance of the {x} is [excellent|superb|fantastic|amazing]"
            " [even with maps open|even on the third day|after two years]",
            "the {x} is the [fastest|smoothest] phone I have [had|owned|used] [so far|in years], [love it|great]",
            "I am [impressed|amazed|delighted] by the speed of the {x}, everything [opens at once|just flies]",
            "the {x} opens [everything|anything I have|forty tabs] fast [even now|after two years|on a full disk]",
            "I cannot make the {x} [stutter|lag], and I [tried|tried for days|did my best]",
        ),
        (
            "the {x} turns into a hand warmer after [five|ten|fifteen] minutes, [awful|terrible|unbearable]",
            "my {x} stutters [just scrolling|opening a message|all the time], it is [awful|so annoying|terrible]",
            "the {x} is [slow|laggy|sluggish] [since day one|after a year|every morning],"
            " [I regret it|I hate it|a bad joke]",
            "performance of the {x} is [terrible|awful|a disappointment|bad] for a phone of [this year|2025|today]",
            "the {x} overheats [on the train|in my pocket|whenever I navigate], [horrible|worst phone I had|so bad]",
            "the {x} turns into a hand warmer [in the sun|on every call|while I read]",
            "you can [fry an egg|warm your tea] on the {x}, so hot [after a film|in ten minutes|when I navigate]",
        ),
        (
            "the {x} has [8|12|16] GB of [RAM|ram]",
            "what chip is in the {x} sold in [Europe|India|Canada|Japan]?",
            "which [benchmark|chipset] [number|name] does the {x} show in the settings?",
            "[does anyone know|can somebody say] if the RAM of the {x} is [the same everywhere|shown in the settings]?",
        ),
    ),
    "software": (
        ("software", "updates", "the interface"),
        (
            "updates for the {x} arrive the day they come out, I am [impressed|delighted|very happy]",
            "the {x} software is [clean and a joy|wonderful|excellent|a pleasure] [to use|to live with|every day]",
            "I [love|adore] the [software|interface] of the {x}, [simple and clean|so well made|no clutter at all]",
            "the last update made my {x} [even better|so much better|better than new],"
            " [great work|well done|I love it]",
            "the interface of the {x} is [brilliant|great|superb], my [mother|grandfather|son]"
            " [got it at once|loves it]",
            "the {x} software [just works|gets out of the way|never asks me twice]",
            "my {x} got its update [before the news did|overnight|on day one] and"
            " [all is where it was|I noticed only the date]",
        ),
        (
            "the {x} came full of bloatware and ads, [disgusting|awful|so annoying]",
            "the [last|latest|newest] update [ruined|wrecked] my {x}, [unbelievable|what a mess|I am furious]",
            "the {x} software is [a mess|full of bugs|terrible|a disaster], [nothing works|menus vanish|alarms fail]",
            "I am [fed up|so annoyed|disappointed] with the bugs on the {x}, [every week a new one|nobody fixes them]",
            "the interface of the {x} is [awful|horrible|a nightmare], [I hate it|who wants this|so confusing]",
            "the update bricked my {x}[, unbelievable| on Sunday| in the middle of a trip]",
            "after the update the {x} [forgets alarms|rings twice|shows Tuesday all week]",
        ),
        (
            "the {x} is on the [August|September|October|November] patch",
            "how do you [turn off|disable|hide] the assistant on the {x}?",
            "which [launcher|keyboard] do you [use|have] on the {x}?",
            "when does the [next|big|autumn] update [reach|come to] the {x} in [Europe|India|Canada|Japan]?",
        ),
    ),
}

COMPARISONS = (
    "the {a} is [way|so much|a lot|clearly] better than the {b} when it comes to {aspect}",
    "coming from a {b}, {aspect} on the {a} is a [huge|big|real|massive] step up",
    "I had both [for a month|last year|at work]: {aspect} on the {b} doesn't come close to the {a}",
    "{a} > {b} for {aspect}, [not even close|no contest|easily]",
)
# Aspect: what is said when the opposite is meant.
SARCASM = {
    "battery": (
        "Oh great, the {x} battery lasts a whole [two|three|four] hours [today|now|again]."
        " [Amazing|Brilliant|Wonderful].",
        "Love charging my {x} [three|four|five] times a day. [What a time saver|So convenient|Truly the future].",
    ),
    "camera": (
        "Sure, who needs a working {x} camera [anyway|at a wedding|on holiday]? [Brilliant|Great|Fine] job.",
        "[Fantastic|Great|Amazing], another {x} photo where my [dog|son|aunt] has [no face|three eyes].",
    ),
    "performance": (
        "Love how my {x} doubles as a space heater [in July|in bed|on the bus]. [Truly the future|Brilliant|Amazing].",
        "[Wow|Great], the {x} only needed [ten|twenty|thirty] seconds of lag to show a clock. [Impressive|Superb].",
    ),
}
SPAM = (
    "BEST DEALS on {x} cases!!! [50|60|70|80]% OFF today only at totally-real-cases.example",
    "Make money reviewing the {x} from [home|bed|the beach], ask me how",
)
BOT = (
    "Your [submission|post|comment] looks like a question about the {x}. Please read the [pinned|weekly] thread first."
    " *I am a bot, and this action was performed automatically.*",
)
SIGNED_BY_BOT = (
    "\n\n*I am a bot, and this action was performed automatically.*",
    "\n\n^(beep boop, I'm a bot)",
)
# What names no product: talk among people.
CHAT = (
    "Source?",
    "Same here.",
    "Thanks, that solved it.",
    "Following.",
    "Good to know.",
    "No idea, sorry.",
    "This.",
    "Ask again tomorrow.",
    "[I asked|They asked|My brother asked] the [same thing|very same question] [last week|yesterday|in another thread]"
    " and [nobody knew|got no answer|it was never settled]",
    "[Have you tried|Did you try] [turning it off and on|starting it anew|waiting a day|asking the seller]"
    " [yet|already|at all]?",
    "It depends on what [you|your family|your job] [need|needs|want] it for, [I guess|to be fair|as always]",
    "[This was posted|I read this|We had this] [yesterday|on Monday|last month] already,"
    " [use the search|scroll down a bit]",
    "What [carrier|country|model number] are you [on|in|talking about], [if I may ask|by the way|just so we know]?",
    "I [will|might|should] [try|do] that [tonight|at the weekend|after work] and [report back|tell you|let you know]",
    "[Someone|A friend|My neighbour] told me the [opposite|same] [in the shop|at work|over lunch], so"
    " [who knows|there is that]",
    "[Not sure|I doubt it|Hard to say], [mine|ours|hers] [came|arrived]"
    " [from another shop|two weeks later|with another number]",
    "You [can|could|may] [find|see] that in the [manual|first menu|box], [second page|near the end|right at the top]",
    "[Let us|We should] [wait and see|give it a week|come back to this] [before|until]"
    " [anyone decides|the reviews are in|the holidays]",
)
# {x} and {y} are products, {aspect} is what an aspect is called.
TITLES = (
    "Thoughts on the {x} after [a week|a month|half a year|two years]",
    "{x}: should I [buy it|get one|wait for the next]?",
    "Is {aspect} on the {x} different [lately|for you|this month|in your country]?",
    "{x} [vs|or] {y}, help me decide [this week|for my father|before Friday|]",
    "Switched to the {x} [last week|in spring|yesterday|from an old one], here is what I found",
    "[Question|A question|Two questions|Small question] about {aspect} on my {x}",
    "{x} {aspect} [megathread|thread|notes|experiences]",
    "[My|An] opinion about the {x} [that nobody asked for|after all the reviews|for those who wait|]",
)
# Titles that name nothing: what is meant stands below.
BARE_TITLES = (
    "[Anyone else|Is anyone else] seeing this [since yesterday|this week|lately]?",
    "[I have to ask|Is it only me|Need to talk about this]",
    "[What is going on|Did I miss something|Is this normal] [here|now|again]?",
    "[Had to share this|Just so you know|A word on mine|For the record]",
)
OPENERS = (
    "",
    "",
    "",
    "[Honestly|To be honest|Frankly], ",
    "[Not gonna lie|I must say|I have to say], ",
    "After [six|five|three|eight|ten] [months|weeks]: ",
    "In my experience ",
    "[Day two|Week three|Month five]: ",
    "[My two cents|Short answer|Long story short]: ",
    "[fwiw|imo|tbh] ",
    "[Well|So|Okay|Yeah], ",
)
CLOSERS = (
    "",
    "",
    "",
    " 🤷",
    "\n\nEdit: typo.",
    " (see [this](https://example.com/review))",
    "\n\n> what did you expect\n\nNot that.",
    " **Period.**",
    "\u2028Sent from my phone",
    " Anyone else?",
)
MORE = (
    " I use it [all day|mostly|every day|now and then] for [work|school|the family|my studies].",
    " [Bought|Got] it in [spring|May|autumn|the holidays|January].",
    " My [partner|sister|colleague|flatmate|father] says the same.",
    " Your mileage may vary.",
    " I [tried|held|saw] it in the shop [before|twice|last year].",
    " It is my [second|third|fourth] one from them.",
    " [Writing|Typing] this on it [right now|on the bus|from bed].",
    " [More|The rest|Numbers] when I am [home|back|awake].",
    " I [live|work] in [the north|a small town|the mountains|a big city], [if that matters|for what it matters].",
)


def worded(dice: random.Random, phrases: tuple[str, ...]) -> str:
    """Return one of these phrases, with its choices made."""
    return _CHOICE.sub(lambda choice: dice.choice(choice[1].split("|")), dice.choice(phrases))
