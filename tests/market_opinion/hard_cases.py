"""Hard cases, made by hand: a text, where it stands, and what it names.

What is expected is written `alias = brand / product`, the alias as it stands in the text, one after the other with `;`.
`-` stands for a brand without product. An empty text expects nothing. Title, parent and subreddit are named where they
matter.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    text: str
    expected: str
    title: str = ""
    parent: str = ""
    subreddit: str = ""


HARD_CASES = [
    # Versions: the longest that is known; a version that is not known is never the nearest one.
    Case("My iPhone 17 arrived", "iPhone 17 = apple / iphone-17"),
    Case("iPhone 17 Pro Max in orange", "iPhone 17 Pro Max = apple / iphone-17-pro-max"),
    Case("the iphone17promax is heavy", "iphone17promax = apple / iphone-17-pro-max"),
    Case("iPhone 7s was never made", "iPhone 7s = apple / unknown"),
    Case("waiting for the iPhone 27", "iPhone 27 = apple / unknown"),
    Case("iPhone 17 Ultra rumours", "iPhone 17 Ultra = apple / unknown"),
    Case("Galaxy S31 Ultra leak", "Galaxy S31 Ultra = samsung / unknown"),
    Case("Samsung Galaxy A99", "Samsung Galaxy A99 = samsung / unknown"),
    Case("Pixel 9 Ultra when?", "Pixel 9 Ultra = google / unknown", subreddit="googlepixel"),
    Case("Xiaomi 99 is a joke of mine", "Xiaomi 99 = xiaomi / unknown"),
    Case("Love my iPhone.", "iPhone = apple / iphone"),
    Case("iPhones everywhere", "iPhones = apple / iphone"),
    Case("iPhone SE (2022) is small", "iPhone SE (2022) = apple / iphone-se-2022"),
    Case("the iPhone SE 3 is small", "iPhone SE 3 = apple / iphone-se-2022"),
    Case("iPhone X and iphonexr", "iPhone X = apple / iphone-x; iphonexr = apple / iphone-xr"),
    Case("iPhone-15-Pro", "iPhone-15-Pro = apple / iphone-15-pro"),
    Case("#iphone15 is trending", "iphone15 = apple / iphone-15"),
    Case("Galaxy S24+ or S24 Plus?", "Galaxy S24+ = samsung / galaxy-s24-plus; S24 Plus = samsung / galaxy-s24-plus"),
    Case("Galaxy S23 FE", "Galaxy S23 FE = samsung / galaxy-s23-fe"),
    Case("Galaxy Z Flip7 FE", "Galaxy Z Flip7 FE = samsung / galaxy-z-flip7-fe"),
    Case("Z Fold 6 hinge broke", "Z Fold 6 = samsung / galaxy-z-fold6"),
    Case("Xperia 1 VI has a jack", "Xperia 1 VI = sony / xperia-1-vi"),
    Case("moto g power (2024)", "moto g power (2024) = motorola / moto-g-power-2024"),
    Case("Motorola Edge 50 Pro", "Motorola Edge 50 Pro = motorola / motorola-edge-50-pro"),
    Case("OnePlus Nord CE 4 Lite", "OnePlus Nord CE 4 Lite = oneplus / oneplus-nord-ce-4-lite"),
    Case("Redmi Note 14 Pro+ 5G", "Redmi Note 14 Pro+ = xiaomi / redmi-note-14-pro-plus"),
    Case("Apple iPhone 15", "Apple iPhone 15 = apple / iphone-15"),
    Case("Samsung's S24 Ultra", "Samsung's S24 Ultra = samsung / galaxy-s24-ultra"),
    Case("Google Pixel beats it", "Google Pixel = google / pixel"),
    Case("Pixel 8, 9 and 10 get it", "Pixel 8 = google / pixel-8; 9 = google / pixel-9; 10 = google / pixel-10"),
    Case("iPhone 15/16 cases", "iPhone 15 = apple / iphone-15; 16 = apple / iphone-16"),
    # Numbers that are no versions.
    Case("my iPhone 12 hours later", "iPhone = apple / iphone"),
    Case("iPhone 6 months on", "iPhone = apple / iphone"),
    Case("iPhone 16.4 update", "iPhone = apple / iphone"),
    Case("iPhone 15% off", "iPhone = apple / iphone"),
    Case("iPhone 4K video", "iPhone = apple / iphone"),
    Case("Xiaomi 120W charger", "Xiaomi = xiaomi / -"),
    Case("Samsung 5 years ago", "Samsung = samsung / -"),
    Case("iPhone 16 plus my old case", "iPhone 16 = apple / iphone-16"),
    Case("iPhone 16 plus is big", "iPhone 16 plus = apple / iphone-16-plus"),
    Case("iPhone 15. Pro tip: use a case", "iPhone 15 = apple / iphone-15"),
    Case("iPhone 15 and 2 chargers", "iPhone 15 = apple / iphone-15"),
    Case("the Pixel 8 or 9 people", "Pixel 8 = google / pixel-8"),
    Case("$15 plus a drop of glue on my iPhone", "iPhone = apple / iphone"),
    Case("my iPhone rang at 5:15 pm", "iPhone = apple / iphone"),
    Case("Samsung said:\n\n9a) press continue", "Samsung = samsung / -", subreddit="googlepixel"),
    # Nothing, the word and the maker.
    Case("nothing to see here", ""),
    Case("Nothing to see here, phone people", "", subreddit="android"),
    Case("there is nothing like a new phone", ""),
    Case("NOTHING WORKS ON MY PHONE", ""),
    Case("There Is Nothing Better Than A New Phone", "", subreddit="nothingtech"),
    Case("I moved from Nothing to Samsung", "Nothing = nothing / -; Samsung = samsung / -"),
    Case("I love what Nothing does", "Nothing = nothing / -", subreddit="nothingtech"),
    Case("Nothing's glyphs are fun on a phone", "Nothing = nothing / -"),
    Case("the Nothing Phone (2a) Plus", "Nothing Phone (2a) Plus = nothing / nothing-phone-2a-plus"),
    Case("my Phone (3) is fine", "Phone (3) = nothing / nothing-phone-3"),
    Case("my Phone (3a) Pro is fine", "Phone (3a) Pro = nothing / nothing-phone-3a-pro"),
    Case("Nothing Phone (9)", "Nothing Phone (9) = nothing / unknown"),
    Case("nothing phone related, sorry", ""),
    Case("I called on my phone (3 times)", ""),
    # OnePlus and arithmetic.
    Case("one plus one is two", ""),
    Case("one plus one is two, even on a phone", ""),
    Case("one plus one is still a good phone", "one plus one = oneplus / oneplus-one"),
    Case("the One Plus phone of my wife", "One Plus phone = oneplus / -"),
    Case("the OnePlus One was a flagship killer", "OnePlus One = oneplus / oneplus-one"),
    Case("1plus 8 pro", "1plus 8 pro = oneplus / oneplus-8-pro"),
    # Apple and fruit, pixel and picture, and other words of every day.
    Case("I ate an apple", "", subreddit="apple"),
    Case("apple pie recipe on my phone", ""),
    Case("An Apple a day keeps the phone away", ""),
    Case("Apple makes good phones", "Apple = apple / -"),
    Case("I find my Apple easier to eat", ""),
    Case("Apple is late again", "Apple = apple / -", title="Which phone should I buy?"),
    Case("Apple is late again", "Apple = apple / -", parent="My iPhone is slow"),
    Case("My Apple Watch died", "", subreddit="apple"),
    Case("pixel density is what matters in a phone", ""),
    Case("a dead pixel on my phone", "", subreddit="android"),
    Case("pixel art", ""),
    Case("my pixel is slow", "pixel = google / pixel", subreddit="GooglePixel"),
    Case("Pixel 3 took this", "Pixel 3 = google / pixel-3"),
    Case("just google it on your phone", ""),
    Case("Google should make smaller phones", "Google = google / -"),
    Case("it was an honor to hold this phone", ""),
    Case("a badge of honor", ""),
    Case("the Honor Magic 6 Pro", "Honor Magic 6 Pro = honor / honor-magic6-pro"),
    Case("on the edge of the phone", "", subreddit="motorola"),
    Case("it crashes on my S7 Edge, Android 9", ""),
    Case("in a galaxy far away", ""),
    Case("blackberry jam on my phone", ""),
    Case("flip the phone, then fold it", "", subreddit="galaxyfold"),
    Case("un poco de todo", ""),
    Case("head over to r/apple and r/iphone", "", subreddit="android"),
    Case("playing with my playstation, Sony!", ""),
    # Short names inherit the brand named last: in the comment, its parent, the title, by the subreddit.
    Case("I have a Samsung. The S24 rocks", "Samsung = samsung / -; S24 = samsung / galaxy-s24"),
    Case("S24U all day", "S24U = samsung / galaxy-s24-ultra", subreddit="android"),
    Case("S24U all day", "S24U = samsung / galaxy-s24-ultra"),
    Case("seat S24 on the plane", ""),
    Case("S25+ or S25U?", "S25+ = samsung / galaxy-s25-plus; S25U = samsung / galaxy-s25-ultra", title="Samsung deals"),
    Case("The 15 Pro is better", "15 Pro = apple / iphone-15-pro", title="iPhone or not?"),
    Case("The 15 Pro is better", "15 Pro = xiaomi / xiaomi-15-pro", title="iPhone or not?", parent="Xiaomi is great"),
    Case("The 15 Pro is better", ""),
    Case("The 17 is better", "17 = apple / iphone-17", parent="I like my iPhone 15"),
    Case("The 17 people in the room", "", parent="I like my iPhone 15"),
    Case("I give it 9 of 10", "", title="Pixel 9 review", subreddit="googlepixel"),
    Case(
        "Fold 6 or Flip6?", "Fold 6 = samsung / galaxy-z-fold6; Flip6 = samsung / galaxy-z-flip6", subreddit="samsung"
    ),
    Case("9a battery lasts", "9a = google / pixel-9a", title="Pixel 9a after a month"),
    # What others said, code and addresses are nobody's opinion.
    Case("> iPhone 15 is bad\n\nNo it is not", ""),
    Case("&gt; iPhone 15 is bad\n\nI mean the Galaxy S24", "Galaxy S24 = samsung / galaxy-s24"),
    Case("see https://apple.com/iphone-15 or `iphone 15`", "", subreddit="apple"),
    Case("[iPhone 15](https://example.com/galaxy-s24)", "iPhone 15 = apple / iphone-15"),
    Case("Fine.\n\nSent from my iPhone", ""),
    Case("**iPhone** *15*", "iPhone 15 = apple / iphone-15"),
    # Text that is no text.
    Case("", ""),
    Case("😀😀🔥", ""),
    Case("Der Akku vom iPhone 15 ist schlecht", "iPhone 15 = apple / iphone-15"),
    Case("我的iPhone 15很好", ""),
    Case("İstanbul'da Galaxy S24 aldım", "Galaxy S24 = samsung / galaxy-s24"),
]
