"""Words that carry an opinion, turn one round, strengthen it, or divide a sentence."""

from functools import cache

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


NEGATIONS = words_of("""
    n't not no never none nor neither cannot without hardly barely rarely seldom nothing nobody nowhere lack
    lacks lacking stop stopped dont doesnt didnt isnt wasnt arent wont cant couldnt wouldnt shouldnt aint
""")
BUT = words_of("but although though however while whereas yet except despite otherwise")
BOOSTERS = words_of("""
    very really so extremely absolutely totally super incredibly insanely way far much too such truly highly
    completely ridiculously damn fucking freaking even most more
""")
FUNCTION_WORDS = (
    words_of("""
    the a an this that these those my your his her its our their it i you he she we they me him us them is are
    was were be been being am do does did have has had will would can could should may might must and or if than
    then as so too very just only even still also much more most less least for to of in on at by with from
    about over up out off like love hate want need get got buy bought sell use used what when where who why how
    which because all any some every there here good better best bad worse worst great new old
    """)
    | NEGATIONS
    | BUT
)

# Words about products that the VADER lexicon does not know, in our own judgement.
_PRODUCT_WORDS = {
    2.0: words_of("""
    fast faster fastest quick snappy responsive smooth smoother sleek sturdy durable reliable crisp vivid fluid
    lightweight affordable intuitive seamless seamlessly polished premium flawless flawlessly tasty delicious
    yummy flavorful scrumptious mouthwatering attentive courteous knowledgeable prompt promptly cozy must-have
    killer epic legit top-notch slick solid superb phenomenal outstanding rocks nailed stellar handy comfy
    spotless spacious
    """),
    1.2: words_of("""
    improved improves improvement worth worthy works recommend recommended recommending decent better beats
    outperforms upgrade upgraded easy easily powerful sharp sharper brighter quiet prefer preferred prefers
    fresh bright
    """),
    -2.0: words_of("""
    slow slower slowest sluggish laggy lag lags lagging stutter stutters buggy bug bugs glitch glitches glitchy
    crash crashes crashed crashing freeze freezes froze frozen overheats overheating overheat flimsy overpriced
    expensive pricey costly useless junk garbage crap crappy trash pos lemon broken broke faulty defective
    bloated bloatware outdated obsolete unusable unresponsive unreliable clunky plasticky gimmick gimmicky scam
    ripoff rip-off bland tasteless soggy stale greasy overcooked undercooked inattentive noisy cramped blurry
    grainy dull inferior worse fails failing sucks sucked suck lame meh disappointing disappointed
    disappointment regret mediocre subpar
    """),
    -1.2: words_of("""
    heavy bulky issue issues problem problems trouble complaint complaints complain replaced repair repairs
    drain drains drained dies died dying dead missing limited tiny stuck forever ridiculous avoid skip ugh wtf
    boring downgrade delay delayed delays refund returned wasted waste overrated overhyped error errors cracked
    scratched
    """),
}


@cache
def analyzer() -> SentimentIntensityAnalyzer:
    """Return VADER with its lexicon, read once."""
    return SentimentIntensityAnalyzer()


@cache
def vader_words() -> dict[str, float]:
    """Return VADER's words and emoji and their strength, about -4 to 4."""
    words: dict[str, float] = analyzer().lexicon
    emoji = {sign: sum(words.get(word, 0.0) for word in name.split()) for sign, name in analyzer().emojis.items()}
    return emoji | words


@cache
def product_words() -> dict[str, float]:
    """Return our own words and their strength, about -2 to 2."""
    return {word: value for value, words in _PRODUCT_WORDS.items() for word in words}


def is_common(word: str) -> bool:
    """Return whether a word has a function or an opinion, and so is no name of anything."""
    return word in FUNCTION_WORDS or word in vader_words() or word in product_words()
