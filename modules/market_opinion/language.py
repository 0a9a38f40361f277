"""Is a text English? Told by the small words that every sentence needs, and by its letters."""

import re

_READ = 1000
"""Characters looked at."""
_LONG = 15
"""No English sentence of so many words does without the small ones."""

_WORD = re.compile(r"[^\W\d_]+")
_LATIN_END = "\u0250"
_MARKED = 2
"""From so many words with letters like é or ł on they count; one alone may be a café."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENGLISH = _words(
    "the and you that is it for was are with this have not but be they on my what your all can so just like if about"
    " would there their been has when who will more no out up do time them some me how get he she his her we our us at"
    " from by an or as to of in a i one than then now only its it's don't i'm im dont also very too any much many still"
    " really because even which were had did does could should good great best better got need want know think thanks"
    " thank yes why where here new use using used same after before off over these those into am make made well way"
    " back first people love nice phone lol please never always"
)

# Small words of other languages that English does not know.
_OTHER = _words(
    # Spanish, Portuguese, Catalan
    "el los las una unos que por para con pero como más mas muy está esta este eso esto cuando porque también tambien"
    " hay soy eres son del al su sus nos gracias tengo tiene hola qué cómo yo mi lo se si ya sin sobre hace ahora mejor"
    " não nao uma um os ou mais muito você voce isso isto também tambem eu meu minha seu foi dos das nos na pelo pela"
    " obrigado obrigada tem tenho bom quando porque até amb però és"
    # French, Italian, Romanian
    " le les des est et une je tu il elle nous vous ils pas pour dans sur avec qui mais plus ce cette c'est j'ai sont"
    " aux du au très tres merci bonjour mon ma mes ses leur tout aussi bien être avoir fait quoi"
    " il gli che di della dello degli delle per con ma sono è anche come questo questa più piu perché perche ho hai"
    " nel nella grazie ciao molto bene mio io si și si este sunt pentru care din cu nu ca mai"
    # German, Dutch, Scandinavian
    " der die das und ist ich nicht ein eine einen dem den mit auf für fuer von zu sich auch es wie aber wenn noch nur"
    " sie wir ihr mein dein kann haben hat habe sind wird war bei oder aus nach schon sehr mehr danke hallo"
    " het een van ik je niet dat zijn voor met maar ook deze heb hebben wel naar nog bij geen"
    " och att det som är jag inte en på av för med till har om men jeg ikke er og til den af på har kan vi"
    # Polish, Czech, Slovak, Hungarian, Croatian, Finnish, Turkish, Indonesian, Tagalog, Vietnamese, Romanised Hindi
    " się nie jest że jak ale czy dla tak już mam się było jestem od przez je se na že jsem ale jak pro když nebo"
    " és hogy nem egy van volt ez az mint csak ja on ei että se mutta kun niin mitä ovat ole"
    " bir ve bu için çok ne da ile mi ben sen değil ama daha gibi var yok"
    " som sú pre ako alebo ktorý vagy meg ki van što ako ili nije sam sve oraz lub tej tego być jeśli proszę kuri arba"
    " yang dan di ini itu tidak untuk dengan saya kamu dari ke akan ada bisa juga sudah ang ng mga sa ko po naman lang"
    " và là của có không cho này được một hai kya nahi mein bhai kar raha aur ka ki ke kuch"
).difference(
    _ENGLISH,
    _words(
        "as on me mi in is a die war be so am we he no to do was an or men us at by has her bin ma kan til var pro plus"
        " mini mate se"
    ),
)


def language_of(text: str) -> str:
    """Return 'en', 'other', or 'none' where there are no words to judge by.

    A text of a few words that belong to no language in particular counts as English.

    >>> [language_of(text) for text in ("Love it", "Der Akku ist sehr gut", "電池がいい", "👍 10/10")]
    ['en', 'other', 'other', 'none']
    """
    words = _WORD.findall(text[:_READ].lower())
    if not words:
        return "none"
    if not text.isascii() and _is_foreign_script(words):
        return "other"
    english = sum(map(_ENGLISH.__contains__, words))
    other = sum(map(_OTHER.__contains__, words))
    marked = 0 if text.isascii() else sum(not word.isascii() for word in words)
    if marked >= _MARKED:
        other += marked
    if other > english or (not english and len(words) >= _LONG):
        return "other"
    return "en"


def _is_foreign_script(words: list[str]) -> bool:
    letters = "".join(words)
    return sum(char >= _LATIN_END for char in letters) * 2 > len(letters)
