"""Names of people across scripts and spellings: made readable, made comparable, made searchable.

One person is Mohammed on a permit, Muhamad on a school form and محمد on a birth certificate. Three forms stand for a
name: `romanize` (for a reader), `fold` (for a keyboard) and `skeleton` (for the ear: consonants only, since vowels are
what transliterations disagree on, and what Arabic and Hebrew do not write). `tokens` of a person and `query_tokens` of
what is typed meet in a blind index; `score` then ranks the few candidates that met.

Everything is pure, deterministic, and reads at most `LONGEST_NAME` characters of a name. Nothing here says that two
people are one: it says that two spellings may be one name.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice, product

from anyascii import anyascii
from rapidfuzz import fuzz

LONGEST_NAME = 200  # characters read of one name: the rest of a longer text is not looked at
MOST_WORDS = 16  # words read of one name
MOST_NAMES = 24  # names read of one person
LONGEST_WORD = 40
MOST_KEYS = 6  # skeletons kept of one word

#: From this score on, two spellings are usual ones of the same name; prefixes and similar words stay below.
SAME = 0.7

# ---- letters

_INVISIBLE = dict.fromkeys([0xAD, 0x34F, 0x640, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F),
                            *range(0x2060, 0x2070)])  # fmt: skip
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼʻʽʾʿ´`′ʹʺ＇ʿ"))
_VOWEL_SIGNS = dict.fromkeys([*range(0x610, 0x61B), *range(0x64B, 0x660), 0x670, *range(0x6D6, 0x6EE),
                              *range(0x591, 0x5BD), 0x5BF, *range(0x5C1, 0x5C8)])  # fmt: skip
# One letter for those that Arabic, Persian, Urdu and Pashto keyboards write differently.
_ONE_LETTER = str.maketrans("ٱیېىےۍئکګہھۀۃةړږښټډڼټ", "اييييييكگهههههررشتدنت")

# For a reader: Arabic letters between others. Initial و and ي are consonants; between consonants, vowels.
_ARABIC_READ = {
    "ا": "a", "أ": "a", "إ": "i", "آ": "a", "ٱ": "a", "ء": "'", "ؤ": "u", "ئ": "i", "ب": "b", "پ": "p", "ت": "t",
    "ث": "th", "ج": "j", "چ": "ch", "ح": "h", "خ": "kh", "د": "d", "ذ": "dh", "ر": "r", "ز": "z", "ژ": "zh",
    "س": "s", "ش": "sh", "ص": "s", "ض": "d", "ط": "t", "ظ": "z", "ع": "'", "غ": "gh", "ف": "f", "ق": "q", "ك": "k",
    "ک": "k", "گ": "g", "ګ": "g", "ل": "l", "م": "m", "ن": "n", "ه": "h", "ہ": "h", "ھ": "h", "ة": "a", "و": "w",
    "ي": "y", "ی": "y", "ى": "a", "ې": "e", "ۍ": "ai", "ے": "e", "ټ": "t", "ډ": "d", "ړ": "r", "ږ": "zh", "ښ": "sh",
    "ڼ": "n", "څ": "ts", "ځ": "dz", "ٹ": "t", "ڈ": "d", "ڑ": "r", "ں": "n", "ڤ": "v", "ڭ": "ng",
}  # fmt: skip

# Frequent names, as they are usually written in Latin letters; what is not here is read letter by letter.
_FREQUENT_TABLE = """
    محمد:Muhammad احمد:Ahmad محمود:Mahmoud حامد:Hamed حميد:Hamid مصطفي:Mustafa علي:Ali حسن:Hassan حسين:Hussein
    عمر:Omar عثمان:Othman عائشه:Aisha عايشه:Aisha فاطمه:Fatima خديجه:Khadija زينب:Zainab مريم:Maryam يوسف:Yusuf
    ابراهيم:Ibrahim اسماعيل:Ismail اسحاق:Ishaq يعقوب:Yaqub موسي:Musa عيسي:Issa داود:Dawud سليمان:Sulaiman
    ادريس:Idris هارون:Harun يحيي:Yahya زكريا:Zakaria نوح:Nuh صالح:Saleh خالد:Khaled وليد:Walid طارق:Tariq كريم:Karim
    رحيم:Rahim سعيد:Said سعد:Saad مسعود:Masoud سالم:Salem سليم:Salim سلمي:Salma سلمان:Salman ليلي:Layla نور:Nour
    هدي:Huda مني:Mona رنا:Rana ريم:Reem سلوي:Salwa ساره:Sara سمير:Samir اميره:Amira امير:Amir امين:Amin امينه:Amina
    جمال:Jamal جميله:Jamila كمال:Kamal جواد:Jawad رشيد:Rashid راشد:Rashed انور:Anwar اكرم:Akram اسامه:Osama
    بلال:Bilal حمزه:Hamza ياسر:Yasser ياسين:Yasin زياد:Ziad فيصل:Faisal فهد:Fahd ناصر:Nasser منصور:Mansour
    ماهر:Maher قاسم:Qasim بكر:Bakr حيدر:Haidar عباس:Abbas رضا:Reza مهدي:Mahdi جعفر:Jafar صادق:Sadiq باقر:Baqir
    نجيب:Najib لطيف:Latif شريف:Sharif فريد:Farid رفيق:Rafiq توفيق:Tawfiq مبارك:Mubarak الله:Allah رحمن:Rahman
    عزيز:Aziz قادر:Qadir كريمه:Karima نجاح:Najah صلاح:Salah دين:Din زهراء:Zahra زهره:Zahra سميه:Sumaya رقيه:Ruqaya
    حليمه:Halima سعاد:Suad نادر:Nadir نادره:Nadira بشير:Bashir بشار:Bashar مروان:Marwan عدنان:Adnan غسان:Ghassan
    حسان:Hassan هاني:Hani رامي:Rami سامي:Sami وسام:Wissam هشام:Hisham هاشم:Hashem عصام:Issam اياد:Iyad ايمن:Ayman
    اشرف:Ashraf ماجد:Majed مجيد:Majid معاذ:Muadh لؤي:Louay نذير:Nadhir پروين:Parwin گل:Gul خان:Khan شاه:Shah
    ژاله:Zhaleh غلام:Ghulam نبي:Nabi جان:Jan زرين:Zarin شيرين:Shirin فرشته:Fereshteh بهرام:Bahram رستم:Rostam
    داريوش:Dariush كوروش:Kourosh سيد:Sayed شيخ:Sheikh حاج:Hajj مصري:Masri حريري:Hariri خطيب:Khatib حداد:Haddad
    نجار:Najjar شامي:Shami حلبي:Halabi سوري:Souri بغدادي:Baghdadi بن:bin ابن:ibn بنت:bint ابو:Abu ابي:Abi ام:Umm
    عبد:Abd ولد:Ould
"""
_FREQUENT = dict(pair.split(":") for pair in _FREQUENT_TABLE.split())
# Families with two characters where one is usual.
_LONG_FAMILIES_TABLE = """
    歐陽 欧阳 司馬 司马 諸葛 诸葛 上官 夏侯 皇甫 남궁 제갈 선우 황보
"""
_LONG_FAMILIES = frozenset(_LONG_FAMILIES_TABLE.split())

_ARAB_PARTICLES = frozenset({"al", "el", "ul", "bin", "ibn", "ben", "bint", "ould", "wuld"})
_PARTICLES_TABLE = """
    von van der den de del della delle da das do dos du di la le les lo y e zu zur ter ten
"""
_PARTICLES = _ARAB_PARTICLES | frozenset(_PARTICLES_TABLE.split())
# The article as it is said before some letters, when a hyphen tells it from a name: as-Sayed, but An Nguyen.
_ARTICLE_SAID = re.compile(r"(?<!\w)[AaEe](?:[rsdznt]|sh|ch)[-‐‑](?=\w)")
_ASSIMILATED_TABLE = """
    al el ul il ol ar er ur as es us ash ech ach esh az ez uz ad ed ud at et ut an en un
"""
_ASSIMILATED = frozenset(_ASSIMILATED_TABLE.split())
_ABD_TABLE = """
    abd abdul abdel abdal abdol abdoul abdur abder abdu abdou abdil abdi
"""
_ABD = frozenset(_ABD_TABLE.split())
_ABD_JOINED = re.compile(r"abd(?:[aeiou]{1,2})(?:l(?=[a-z]{3})|(?=([a-z])\1[a-z]{2}))(.{2,})$")
_DIN_TABLE = """
    din deen dine eddin eddine eddeen uddin uddeen aldin aldeen aldine eldin eldine eldeen
"""
_DIN = frozenset(_DIN_TABLE.split())

# One name that languages or offices spell by different consonants. The first is the one the others are heard as.
_FAMILIES_TABLE = """
    sergei serhii serhiy sergiy sergey serguei serhij sergii
    olga olha
    igor ihor
    oleg oleh
    bogdan bohdan
    grigori hryhorii hryhoriy grigory grigoriy grigorii hrihoriy
    galina halyna halina
    eugeni yevhen yevheniia yevhenii evgeny evgeni yevgeny yevgeniy evgeniy evgenii yevgen
    georgi heorhii heorhiy georgy georgii georgiy
    gennadi hennadii hennadiy gennady gennadiy gennadii
    mikael michael mikhail mikhael michail mykhailo mihail mikail mikhailo mykhaylo
    osman othman uthman usman ousmane otman ozman
    ramadan ramazan ramadhan ramzan ramdane
    abubakar aboubacar abubakr aboubakar abubaker abobakr
    kim gim
    choi choe
    park bak bag pak
    jung jeong chung
    nikolai mykola nikolay nikolaj nicolai
    vladimir volodymyr volodimir wladimir
    aleksei oleksii oleksiy alexei alexey oleksij aleksey alexej
    jamal gamal djamel cemal yamal jamel
    ragab rajab recep redjep
    javad jawad cevat djaouad jaouad gawad
    hatice khadija khadidja hadija khadijah
    mehmed mehmet
    singh sinh simh sing
"""
_FAMILIES = {spelling: group.split()[0] for group in _FAMILIES_TABLE.strip().splitlines() for spelling in group.split()}
# Latin words that begin like an article and have none.
_NO_ARTICLE_TABLE = """
    alfred alfredo albert alberto alfons alfonso alvaro aldous elvis elsie elton elmer
"""
_NO_ARTICLE = frozenset(_NO_ARTICLE_TABLE.split())


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    """The script of a letter, by its Unicode name: "LATIN", "ARABIC", "CJK"; "" for what is no letter."""
    return unicodedata.name(char, "").split(" ", 1)[0] if unicodedata.category(char)[0] in "LM" else ""


_INDIC_TABLE = """
    DEVANAGARI BENGALI GURMUKHI GUJARATI ORIYA TAMIL TELUGU KANNADA MALAYALAM SINHALA
"""
_INDIC = frozenset(_INDIC_TABLE.split())
_UNVOWELLED = frozenset({"ARABIC", "HEBREW", "SYRIAC", "THAI", "LAO", "MYANMAR", "KHMER", "THAANA"})
_CONSONANT_SIGN = re.compile(r"LETTER (?:\w+ )?([B-DF-HJ-NP-TV-Z]+)A$")


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """Lower-case ASCII for one character, by the library; "" for what it can't write."""
    if "\ud800" <= char <= "\udfff":
        return ""
    return str(anyascii(char)).lower()


def _words_of(text: str) -> list[str]:
    """The words of a name as written: letters, marks and digits; apostrophes and invisible signs are no boundary."""
    text = text[:LONGEST_NAME].translate(_INVISIBLE).translate(_APOSTROPHES)
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text)[: 2 * LONGEST_NAME])
    text = text.translate(_INVISIBLE).translate(_APOSTROPHES)
    spaced = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in text)
    return [part[:LONGEST_WORD] for word in spaced.split() for part in _family_first(word)][:MOST_WORDS]


def _family_first(word: str) -> list[str]:
    """Han and Hangul names are written without a space, the family first: 王小明 is Wang Xiaoming."""
    if 2 <= len(word) <= 4 and all(_script(char) in ("CJK", "HANGUL") for char in word):
        first = 2 if word[:2] in _LONG_FAMILIES and len(word) > 2 else 1
        return [word[:first], word[first:]]
    return [word]


# ---- for a reader


def romanize(name: str) -> str:
    """The name in Latin letters, for someone who can't read its script; Latin words stay as they are.

    "محمد عبد الرحمن" -> "Muhammad Abd al-Rahman". Arabic and Hebrew write few vowels: an infrequent name gives its
    consonants only. Han characters are read as Mandarin, whatever the language. Never raises; reads `LONGEST_NAME`.
    """
    text = name[:LONGEST_NAME].translate(_INVISIBLE)
    text = unicodedata.normalize("NFC", "".join(char for char in text if unicodedata.category(char) != "Cs"))
    shown: list[str] = []
    for piece in re.split(r"(\s+)", text):
        if not piece or piece.isspace():
            shown.append(" " if piece else "")
        elif all(char.isascii() or _script(char) in ("LATIN", "") for char in piece):
            shown.append(piece)
        else:
            shown.append(" ".join(_read(word) for word in _words_of(piece)))
    return " ".join("".join(shown).split())[:LONGEST_NAME].strip()


def _read(word: str) -> str:
    scripts = {_script(char) for char in word}
    if "ARABIC" in scripts:
        return _read_arabic(word)
    if "HEBREW" in scripts:
        return _capital("".join(_HEBREW_READ.get(char, _plain(char)) for char in word.translate(_VOWEL_SIGNS)))
    if "GREEK" in scripts:
        return _capital("".join(map(_plain, _greek(word))))
    if scripts & _INDIC:
        return _capital(_indic(word))
    if word in _KOREAN_FAMILIES:
        return _KOREAN_FAMILIES[word]
    if "CYRILLIC" in scripts and _UKRAINIAN & set(word.lower()):
        word = word.translate(_UKRAINIAN_READ)
    return _capital("".join(map(_plain, word)).replace("'", ""))


_KOREAN_TABLE = "김:Kim 이:Lee 박:Park 최:Choi 정:Jung 강:Kang 조:Cho 윤:Yoon 장:Jang 임:Lim 신:Shin"
_KOREAN_FAMILIES = dict(pair.split(":") for pair in _KOREAN_TABLE.split())
_UKRAINIAN = frozenset("іїєґ")
_UKRAINIAN_READ = str.maketrans("гГиИ", "hHyY")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_ONE_ALIF = str.maketrans("أإآ", "ااا")


def _bare(word: str) -> str:
    """An Arabic word by which a table is asked: no vowel marks, one form of alif, ya and final ha."""
    return word.translate(_VOWEL_SIGNS).translate(_ONE_LETTER).translate(_ONE_ALIF)


def _read_arabic(word: str) -> str:
    word = word.translate(_VOWEL_SIGNS)
    bare = _bare(word)
    known = _FREQUENT.get(bare) or _FREQUENT.get(word)
    if known and bare != "الله":
        return known
    if bare.startswith("عبدال") and len(bare) > 6:
        return "Abdullah" if bare == "عبدالله" else f"Abd al-{_read_arabic(word[5:])}"
    if bare == "الله":
        return "Allah"
    if bare.startswith("ال") and len(bare) > 4:
        return f"al-{_read_arabic(word[2:])}"
    read = ""
    for place, char in enumerate(word):
        before, after = word[place - 1 : place], word[place + 1 : place + 2]
        sound = _ARABIC_READ.get(char)
        if sound is None:
            sound = _plain(char)
        elif sound in ("w", "y") and place and before not in _LONG and after not in _LONG:
            sound = "u" if sound == "w" else "i"
        elif char == "ع" and not place:
            sound = "a"
        elif char in "هہ" and not after and place > 1:
            sound = "a" if before not in _LONG else "h"
        read += sound
    return _capital(read.replace("aa", "a").strip("'"))


_LONG = frozenset("اأآوي")
_HEBREW_READ = {
    "א": "a", "ב": "b", "ג": "g", "ד": "d", "ה": "h", "ו": "o", "ז": "z", "ח": "h", "ט": "t", "י": "y", "כ": "k",
    "ך": "kh", "ל": "l", "מ": "m", "ם": "m", "נ": "n", "ן": "n", "ס": "s", "ע": "a", "פ": "p", "ף": "f", "צ": "ts",
    "ץ": "ts", "ק": "k", "ר": "r", "ש": "sh", "ת": "t",
}  # fmt: skip
_GREEK_PAIRS = (
    ("ευ", "ev"), ("εύ", "ev"), ("αυ", "av"), ("αύ", "av"), ("ου", "ou"), ("ού", "ou"), ("γγ", "ng"),
    ("γκ", "g"), ("μπ", "b"), ("ντ", "nt"),
)  # fmt: skip


def _greek(word: str) -> str:
    word = word.lower()
    for pair, sound in _GREEK_PAIRS:
        word = word.replace(pair, sound)
    return word


def _indic(word: str) -> str:
    """Indic scripts: a consonant without a vowel sign is followed by "a", but not at the end of a word."""
    read = ""
    for place, char in enumerate(word):
        label = unicodedata.name(char, "")
        consonant = _CONSONANT_SIGN.search(label)
        if not consonant:
            read += _plain(char)
            continue
        stem = consonant[1]
        read += {"SH": "sh", "SS": "sh", "C": "ch", "CH": "chh"}.get(stem) or _plain(char).rstrip("a") or stem.lower()
        after = word[place + 1 : place + 2]
        if after and unicodedata.category(after)[0] != "M":
            read += "a"
    return read


def fold(name: str) -> str:
    """The romanized name as a keyboard without accents would type it: a-z, 0-9 and single spaces.

    `fold("O’Brien-Müller") == "obrien muller"`. Folding again changes nothing.
    """
    return _fold_words(tuple(_words_of(romanize(name))))


def _fold_words(words: Sequence[str]) -> str:
    plain = ("".join(char for char in "".join(map(_plain, word)) if char.isalnum()) for word in words)
    return " ".join(word for word in plain if word)[:LONGEST_NAME].strip()


# ---- for the ear

# Signs of ambiguous sounds, each with what it may be; the first makes the primary skeleton. Small letters are plain.
_MAY_BE = {
    "W": ("", "v"),  # a glide or a vowel: Marwan, Marouane, Kowalski; at the start always v
    "I": ("j", ""),  # j of Najib, of Katja
    "D": ("d", "z"),  # ذ ض ظ
    "T": ("t", "s"),  # ث
    "G": ("g", "h"),  # г
    "J": ("j", "g"),  # ج
    "Q": ("g", "j"),  # g before e, i
    "C": ("s", "j", "x"),  # c before e, i: Cecilia, Cemal, Celik without its cedilla
    "S": ("x", "s"),  # ç, ש
    "H": ("h", "x"),  # ch before a consonant: Achmed, Achraf
    "K": ("k", "h"),  # כ χ
    "B": ("b", "v"),  # ב
    "P": ("b", "f"),  # פ
}
# At the start of a word.
_MAY_START = {"W": ("v",), "I": ("j", "y"), "Y": ("y",), "E": ("a", "y")}
_VOWELS = "aeiou*"

_ARABIC_HEARD = str.maketrans(
    {
        "ا": "a", "أ": "*", "إ": "i", "آ": "a", "ء": "*", "ؤ": "*", "ع": "*", "ب": "b", "پ": "b", "ت": "t", "ث": "T",
        "ج": "J", "چ": "x", "ح": "h", "خ": "χ", "د": "d", "ذ": "D", "ر": "r", "ز": "z", "ژ": "j", "س": "s", "ش": "x",
        "ص": "s", "ض": "D", "ط": "t", "ظ": "D", "غ": "g", "ف": "f", "ق": "k", "ك": "k", "گ": "g", "ل": "l", "م": "m",
        "ن": "n", "ه": "h", "و": "W", "ي": "Y", "څ": "s", "ځ": "z", "ٹ": "t", "ڈ": "d", "ڑ": "r", "ں": "n", "ڤ": "v",
    }
)  # fmt: skip
_HEBREW_HEARD = str.maketrans(
    {
        "א": "*", "ב": "B", "ג": "g", "ד": "d", "ה": "h", "ו": "W", "ז": "z", "ח": "h", "ט": "t", "י": "Y", "כ": "K",
        "ך": "K", "ל": "l", "מ": "m", "ם": "m", "נ": "n", "ן": "n", "ס": "s", "ע": "*", "פ": "P", "ף": "f", "צ": "s",
        "ץ": "s", "ק": "k", "ר": "r", "ש": "S", "ת": "t",
    }
)  # fmt: skip
# Letters whose sound their ASCII form would hide.
_SOUNDS = {
    "ç": "S", "ş": "sh", "š": "sh", "ș": "sh", "č": "ch", "ć": "ch", "ž": "zh", "ż": "zh", "ź": "zh", "г": "G",
    "χ": "K", "ч": "tch", "ш": "sh", "щ": "sh", "х": "kh", "ä": "a", "ö": "o", "ü": "u", "þ": "T", "θ": "T",
}  # fmt: skip
_LATIN_RULES = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"chtch|shtch|shch|tsch|tch|sch|sh|cz|sz", "x!"),
        (r"^ch(?=[rl])", "k"),
        (r"ch(?=[bdfgjklmnpqrstvwz])", "H"),  # Achmed
        (r"ch", "x!"),
        (r"zh|dj|dzh", "j!"),
        (r"kh", "χ"),
        (r"gh", "g"),
        (r"dh", "D"),
        (r"th", "T"),
        (r"ph", "f"),
        (r"(?<=[bj])h", ""),  # Bharat, Jhansi
        (r"ts|tz", "s"),
        (r"c(?=[eiy])", "C"),
        (r"ck|c|q", "k"),
        (r"^x(?!!)", "s"),
        (r"x(?!!)", "ks"),
        (r"j(?!!)", "I"),
        (r"!", ""),
        (r"(?:ou|w)(?=[aeiouy])|w", "W"),
        (r"^i(?=[aeou])", "y"),
        (r"^ye", "E"),
        (r"^y", "Y"),
        (r"y", "i"),
        (r"g(?=[ei])", "Q"),
        (r"p", "b"),
    )
)


@dataclass(frozen=True, slots=True, eq=False)  # `_word` makes each once: compared and remembered by identity
class _Heard:
    """A word of a name: as typed without accents, its skeletons (primary first), and the vowels between consonants.

    `gaps[i]` is the vowel before consonant i of the primary skeleton, the last one ends the word; "*" is unknown.
    """

    folded: str
    close: str  # folded, doubled letters written once
    keys: tuple[str, ...]
    gaps: tuple[str, ...]
    unvowelled: bool  # its script leaves short vowels out
    begun: tuple[str, ...]  # the skeletons if the word goes on: "moh" has its h
    inner: tuple[str, ...] = ()  # skeletons of what a compound holds: Rahman in Abdulrahman
    particle: bool = False


def _once(text: str) -> str:
    return re.sub(r"(.)\1+", r"\1", text)


def _signs(word: str) -> tuple[str, bool]:
    """The sounds of a word (see `_MAY_BE`; aeiou and * are vowels) and whether its script leaves vowels out."""
    scripts = {_script(char) for char in word}
    word = word.translate(_VOWEL_SIGNS)
    if "ARABIC" in scripts:
        word = re.sub("[ةۃ]$", "a", re.sub("ئ|ي(?=ي)", "i", word))
        word = re.sub("(?<=.)ى$", "*", word)  # a in some countries, i in others
        word = word.translate(_ONE_LETTER).translate(_ARABIC_HEARD)
        # a first alif only carries a vowel, which is not written; a final ha is mostly a vowel
        word = re.sub("^a(?=[^aeiou*])", "*", word)
        word = re.sub("(?<=.)h$", "a", word)
        return _clean(word), True
    if "HEBREW" in scripts:
        return _clean(re.sub("(?<=.)h$", "a", word.translate(_HEBREW_HEARD))), True
    if scripts & _INDIC:
        return _latin_signs(_indic(word)), False
    if "GREEK" in scripts:
        word = _greek(word)
    text = "".join(_SOUNDS.get(char) or _plain(char) for char in word.lower())
    if word[:1] in "еЕ" and "CYRILLIC" in scripts:
        text = "y" + text
    return _latin_signs(text), bool(scripts & _UNVOWELLED)


def _clean(text: str) -> str:
    """Only signs that mean something here; letters of another script inside the word are spelled."""
    return "".join(char if char in _KNOWN else "".join(c for c in _plain(char) if c in _KNOWN) for char in text)


_KNOWN = frozenset("abdefghijklmnorstuvxyzk*χ0123456789") | frozenset(_MAY_BE) | frozenset("YE")


def _latin_signs(text: str) -> str:
    text = re.sub(r"[^a-zA-Z0-9]", "", text)
    text = re.sub(r"([a-z])\1+", lambda m: m[0] if m[1] in "aeiou" else m[1], text)
    text = re.sub(r"eh$", "a", text) if len(text) > 3 else text
    for pattern, sound in _LATIN_RULES:
        text = pattern.sub(sound, text)
    return _clean(text)


def _vowel(run: str) -> str:
    """One class for a run of vowels: y (ai, ei, ee: also written in Arabic), q (ia), i, u, a, e, * (not written)."""
    if re.search("[aeE*]i|ee|ii|[ae*]Y", run):
        return "y"
    if re.search("[iY]a", run):
        return "q"
    for wanted, kind in (("iY", "i"), ("ouW", "u"), ("*", "*"), ("a", "a"), ("eE", "e")):
        if any(sign in run for sign in wanted):
            return kind
    return ""


def _last_vowel(run: str) -> str:
    """The class of the vowels that end a word: the last of them tells (Maria, Mario), but for an e after another."""
    run = run[:-1] if len(run) > 1 and run[-1] == "e" else run
    if re.search("[iY]a$", run):
        return "q"
    return _vowel(run[-1:]) if run[-1:] in ("a", "o", "u") and run[-2:] not in ("ou", "au") else _vowel(run)


def _hear(signs: str, unvowelled: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The skeletons (primary first) and the gaps of a word given as signs."""
    parts: list[tuple[str, ...]] = []
    gaps: list[str] = []
    run = ""
    for place, sign in enumerate(signs):
        last = place == len(signs) - 1
        if not place and (sign in _VOWELS or sign in _MAY_START):
            parts.append(_MAY_START.get(sign, ("a",)))
            gaps.append("")
            run = sign if sign in _VOWELS or sign == "E" else ""
        elif sign in _VOWELS or sign in "YE":
            run += sign
        elif sign == "W":
            parts.append(_MAY_BE["W"])
            gaps.append("=")  # no consonant in the primary skeleton
            run += sign
        elif sign == "h" and last and place and signs[place - 1] in _VOWELS + "YW":
            continue  # Fatimah
        else:
            sounds = _MAY_BE.get(sign, ("h" if sign == "χ" else sign,))
            if last:
                sounds = tuple({"t": "d", "z": "s"}.get(sound, sound) for sound in sounds)
            parts.append(sounds)
            gaps.append("=" if not sounds[0] else (_vowel(run) or ("*" if unvowelled and parts[1:] else "")))
            if sounds[0]:
                run = ""
    gaps.append(_last_vowel(run))
    keys: dict[str, None] = {}
    for choice in product(*_bounded(parts)):
        keys.setdefault("".join(choice))
        if len(keys) == MOST_KEYS:
            break
    return tuple(key for key in keys if key) or ("a",), tuple(gap for gap in gaps if gap != "=")


def _bounded(parts: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """At most three open choices a word, from its start: the others take their first."""
    open_choices = 0
    bounded = []
    for part in parts:
        open_choices += len(part) > 1
        bounded.append(part if open_choices <= 3 else part[:1])
    return bounded


@lru_cache(maxsize=32_768)  # few: they are names of people
def _word(written: str, inner: str = "") -> _Heard:
    """What is known of one word; `inner` is the part after "Abd al-" of a compound."""
    folded = _fold_words(_words_of(_read(written)) if not written.isascii() else [written]).replace(" ", "")
    close = _once(folded)
    signs, unvowelled = _signs(written)
    keys, gaps = _hear(signs, unvowelled)
    more_to_come = {"ARABIC": "ا", "HEBREW": "א"}.get(_script(written[-1]), "a")
    begun = _hear(*_signs(written + more_to_come))[0]
    if re.match("[ae]l[^aeiou]", close) and len(close) > 5 and close not in _NO_ARTICLE:  # Elmasri
        rest = _hear(*_signs(close[2:]))[0]
        keys = (*keys, *rest)[:MOST_KEYS] if set(rest) & _frequent_keys() else keys
    same = _FAMILIES.get(close) or _FAMILIES.get(folded)
    if same:
        keys = (*dict.fromkeys((*_hear(_latin_signs(same), False)[0], *keys)),)[:MOST_KEYS]
    more = _hear(*_signs(inner))[0] if inner else ()
    return _Heard(folded, close, keys, gaps, unvowelled, begun, more)


def _joined(words: list[str]) -> list[tuple[str, str, bool]]:
    """Words with particles marked and compounds put together: (word, inner part, is a particle)."""
    found: list[tuple[str, str, bool]] = []
    servant = ""  # an "Abd" that waits for its second part
    article = False
    for word in words:
        plain = _fold_words([word]) if not word.isascii() else word.lower()
        arabic = _script(word[0]) == "ARABIC"
        bare = _bare(word) if arabic else ""
        if arabic and bare.startswith("عبدال") and len(bare) > 6:
            found.append(_servant(word[5:]))
            continue
        if arabic and bare == "عبد":
            servant = word
            continue
        if arabic and bare.startswith("ال") and len(bare) > 3:
            word, bare, article = word[2:], bare[2:], True
        if servant:
            if plain in _ASSIMILATED and not arabic:
                continue
            found.append(_servant(word))
            servant = ""
            continue
        if not arabic and plain in _ABD:
            servant = word
            continue
        joined = _ABD_JOINED.fullmatch(plain) if not arabic else None
        if joined:
            found.append(_servant(joined[2]))
            continue
        if bare in {"بن", "ابن", "بنت", "ولد"} or (not arabic and plain in _PARTICLES):
            found.append((word, "", True))
            article = plain in _ASSIMILATED
            continue
        ending = _ending(bare if arabic else plain, article)
        if ending:
            before = next((place for place in range(len(found) - 1, -1, -1) if not found[place][2]), None)
            if before is not None:
                first = found[before][0]
                found[before] = (first + ending, first, False)
                article = False
                continue
        article = False
        found.append((word, "", False))
    if servant:
        found.append((servant, "", False))
    return found


def _ending(word: str, article: bool) -> str:
    """What a folded word adds to the one before it: Nour al-Din, Najib Ullah; "" for a word of its own."""
    if word in ("له", "ullah", "ollah", "oullah", "ulla"):
        return "له" if word == "له" else "ulla"
    if word == "دين":
        return word
    return "din" if word in _DIN and (article or word not in ("din", "dine", "deen")) else ""


def _servant(word: str) -> tuple[str, str, bool]:
    """A name "Abd al-": one word, whatever the script and the spacing."""
    arabic = _script(word[0]) == "ARABIC"
    if _bare(word) in ("الله", "له", "لله") or re.fullmatch("(?:al+|l+|ul+)?[ao]?h[iou]?", word.lower()):
        return ("abdullah", "", False)
    return (("عبد" if arabic else "abd") + word, word, False)


@lru_cache(maxsize=1)
def _frequent_keys() -> frozenset[str]:
    return frozenset(key for name in _FREQUENT.values() for key in _hear(*_signs(name.lower()))[0] if len(key) > 2)


@lru_cache(maxsize=8192)
def _heard(name: str) -> tuple[_Heard, ...]:
    words = []
    for written, inner, particle in _joined(_words_of(_ARTICLE_SAID.sub("al ", name))):
        word = _word(written, inner)
        if word.folded:
            words.append(replace(word, particle=True) if particle else word)
    if words and all(word.particle for word in words):  # Le Van is a name
        words = [replace(word, particle=False) for word in words]
    return tuple(words)


def _all_heard(names: Iterable[str]) -> list[tuple[_Heard, ...]]:
    found = []
    for _, name in zip(range(MOST_NAMES), names, strict=False):
        found.append(_heard(name[:LONGEST_NAME]))
    return found


def skeletons(word: str) -> tuple[str, ...]:
    """Every skeleton under which a word is kept, the primary one first: at most `MOST_KEYS`.

    "Kowalski" may be heard with a v or with a glide: both are kept, and two words are alike when any is common.
    """
    return tuple(
        dict.fromkeys(key for heard in _heard(word[:LONGEST_NAME]) if not heard.particle for key in heard.keys)
    )


def skeleton(word: str) -> str:
    """The consonants by which a name is heard, equal for its usual spellings in any script; "" if there is no letter.

    `skeleton("Mohammed") == skeleton("Muhamad") == skeleton("محمد")`. The first vowel of a word is "a", whatever it is.
    """
    return "".join(heard.keys[0] for heard in _heard(word[:LONGEST_NAME]) if not heard.particle)


# ---- for the index


def _trigrams(close: str) -> list[str]:
    marked = f"^{close}"
    return [marked[start : start + 3] for start in range(max(1, len(marked) - 2))]


def _word_tokens(word: _Heard) -> set[str]:
    if word.particle:
        return {f"~{word.folded}"}
    found = {f"={key}" for key in (*word.keys, *word.inner)}
    found |= {f"<{key[:2]}" for key in word.keys[:1] if len(key) > 1}
    return found | set(_trigrams(word.close))


def tokens(names: Iterable[str]) -> frozenset[str]:
    """What a person is found by in a blind index: for each word its skeletons ("=mhmd"), the first two consonants
    ("<mh"), and the trigrams of the folded word with its start marked ("^mo", "moh", ...); of a particle only itself
    ("~de").
    """
    return frozenset(token for name in _all_heard(names) for word in name for token in _word_tokens(word))


def query_tokens(text: str) -> frozenset[str]:
    """What to look for while a name is being typed: candidates are those who share most of these.

    Particles are left out when there are other words. One letter finds nothing: two are needed, in any script.
    """
    heard = _heard(text[:LONGEST_NAME])
    found: set[str] = set()
    for word in heard:
        if not word.particle:
            found |= _word_tokens(word) | {f"<{key[:2]}" for key in word.begun if len(key) > 1}
            if word.folded in _PARTICLES:
                found.add(f"~{word.folded}")
    return frozenset(found)


MOST_BLOCKED = 5  # words of a name that are paired with one another


def blocks(names: Iterable[str], birth_year: int | None) -> frozenset[str]:
    """What two writings of one person are likely to have in common and two people are not: pairs of skeletons
    ("&hsn&mhmd"), and each skeleton with the year of birth ("1990=mhmd"). Few share one, so that likely duplicates
    are found through an index without reading the thousands who share a first name.
    """
    found: set[str] = set()
    for name in _all_heard(names):
        words = [word.keys[:3] for word in name if not word.particle and word.keys[0] != "a"][:MOST_BLOCKED]
        for place, ones in enumerate(words):
            if birth_year:
                found |= {f"{birth_year}={key}" for key in ones}
            for others in words[place + 1 :]:
                found |= {f"&{min(one, other)}&{max(one, other)}" for one in ones for other in others}
    return frozenset(found)


def weight(token: str) -> int:
    """How much a common token says, to order candidates by the sum: a whole skeleton more than three letters."""
    return 3 if token.startswith("=") else 1


# How alike two vowels between the same consonants are, by hand from usual transliterations and held by the table of
# pairs in the tests: a, e, i, u, y as in `_vowel`, "*" not written in its script, a letter alone: the other has none.
_ALIKE_TABLE = """
    100 a* e*
    95 ae u*
    90 iy
    85 e
    80 ei
    75 i*
    60 u
    50 a ey i qi qa
    40 au qe
    30 eu uy q qu
    20 ai iu ay y qy q*
    10 y*
"""
_ALIKE = {
    frozenset(pair): int(line.split()[0]) / 100
    for line in _ALIKE_TABLE.strip().splitlines()
    for pair in line.split()[1:]
}
# At the end of a word a vowel tells a woman's name from a man's; a final e is silent.
_ENDS_ALIKE_TABLE = """
    100 e a*
    95 u* i*
    90 iy
    60 ei ey
    40 ae
    30 i u y qe
    15 a ai au eu iu q qa qi qu qy
"""
_ENDS_ALIKE = {
    frozenset(pair): int(line.split()[0]) / 100
    for line in _ENDS_ALIKE_TABLE.strip().splitlines()
    for pair in line.split()[1:]
}


def _vowels_alike(one: _Heard, other: _Heard) -> float:
    """0..1: whether the vowels of two words with a common skeleton may be those of one name."""
    if len(one.gaps) != len(other.gaps):
        return 0.75
    values = []
    lone = {True: 0, False: 0}  # vowels that only one of the two has: in both, one was moved (Garcia, Gracia)
    for a, b in zip(one.gaps[:-1], other.gaps[:-1], strict=True):
        if a == b:
            values += [1.0] if a else []
        elif not (a and b) and "*" not in a + b:
            lone[bool(a)] += 1
            values.append(_ALIKE[frozenset(a + b)])
        elif "*" in a + b and one.unvowelled and other.unvowelled:
            values.append(0.15)  # one of two unvowelled spellings has a long vowel: محمد, محمود
        else:
            values.append(_ALIKE.get(frozenset(a + b), 1.0))
    if all(lone.values()):
        values = [value / 2 if value < 0.9 else value for value in values]
    a, b = one.gaps[-1], other.gaps[-1]
    end = 1.0 if a == b else _ENDS_ALIKE.get(frozenset(a + b), 1.0)
    values += [end] if a or b else []
    if not values:
        return 1.0
    alike = (sum(values) / len(values) + min(values)) / 2
    return alike if end > 0.3 else min(alike, 0.4)


@lru_cache(maxsize=65_536)  # the same words meet again and again where a list is compared with an office's people
def _word_score(asked: _Heard, given: _Heard) -> float:
    if asked.folded == given.folded:
        return 1.0
    if asked.close == given.close:
        return 0.97
    best = 0.0
    if set(asked.keys) & set(given.keys):
        best = 0.5 + 0.45 * _vowels_alike(asked, given)
    elif set(asked.inner or asked.keys) & set(given.inner or given.keys):
        best = 0.66
    length = len(asked.close)
    if length > 1 and given.close.startswith(asked.close):
        best = max(best, 0.5 + 0.18 * length / len(given.close))
    elif any(len(key) > 1 and kept.startswith(key) for key in asked.begun for kept in given.keys):
        best = max(best, 0.4)
    if best < 0.6:
        alike = fuzz.ratio(asked.close, given.close) / 100
        best = max(best, 0.65 * alike if alike >= 0.6 else 0.2 * alike)
    return best


@dataclass(frozen=True, slots=True)
class _Said:
    """A name as it is compared: its words without particles, those together, and the particles that tell it apart."""

    words: tuple[_Heard, ...]
    close: str
    folded: str
    particles: frozenset[str]


def _of_words(heard: Sequence[_Heard]) -> _Said:
    words = tuple(word for word in heard if not word.particle)
    return _Said(
        words, "".join(word.close for word in words), " ".join(word.folded for word in words), _particles(heard)
    )


@lru_cache(maxsize=32_768)
def _said(name: str) -> _Said:
    return _of_words(_heard(name))


@lru_cache(maxsize=1024)  # a person is compared with several rows, one after another
def _person(names: tuple[str, ...]) -> tuple[_Said, ...]:
    """Each of a person's names, and all of them as one."""
    people = [_said(name) for name in names]
    if len(names) > 1:
        people.append(_of_words([word for name in names for word in _heard(name)][: 2 * MOST_WORDS]))
    return tuple(each for each in people if each.words)


def _name_score(asked: _Said, given: _Said) -> float:
    """The mean over the words asked of the best word given to each, in any order; less for words not asked."""
    if asked.close == given.close:  # Min-jun, Minjun
        return 1.0 if asked.folded == given.folded else 0.97
    total, used, twice = 0.0, set(), False
    for word in asked.words:
        top, at = -1.0, -1
        for place, one in enumerate(given.words):
            value = _word_score(word, one)
            if value > top:
                top, at = value, place
        total += top
        twice = twice or at in used
        used.add(at)
    if twice:  # two words asked would have the same one given
        total = _shared_out(asked, given)
    mean = total / len(asked.words)
    return mean * (0.95 + 0.05 * min(1.0, len(asked.words) / len(given.words)))


def _shared_out(asked: _Said, given: _Said) -> float:
    """The sum over the words asked, each given word taken once, the most alike first."""
    pairs = sorted(
        [(_word_score(a, g), -i, -j) for i, a in enumerate(asked.words) for j, g in enumerate(given.words)],
        reverse=True,
    )
    total = 0.0
    taken: set[int] = set()
    used: set[int] = set()
    for value, i, j in pairs:
        if i not in taken and j not in used:
            taken.add(i)
            used.add(j)
            total += value
    return total


def score(query: str, names: Iterable[str]) -> float:
    """0..1: how well a person of these names answers what was typed; the order of words is free.

    1 is the same words; `SAME` and above, usual spellings of the same names; below it, a beginning of a name (while
    typing), then similar words. An empty query is 0 for everyone.
    """
    asked = _said(query[:LONGEST_NAME])
    if not asked.words:
        return 0.0
    best = 0.0
    for given in _person(tuple([name[:LONGEST_NAME] for name in islice(names, MOST_NAMES)])):
        differ = asked.particles and given.particles and asked.particles != given.particles
        best = max(best, _name_score(asked, given) * (0.97 if differ else 1.0))
    return best


def _particles(words: Iterable[_Heard]) -> frozenset[str]:
    """The particles that tell two names apart; the Arabic ones are written or not as one likes."""
    return frozenset(word.folded for word in words if word.particle) - _ARAB_PARTICLES
