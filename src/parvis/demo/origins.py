"""Where the demo's invented people come from: their language, script and the parts that their names are drawn from.

Given names are ordinary ones; family names are put together from syllables, so that no combination is somebody. No
word here is an article or a particle ("al", "bin", "de"): the tokens of a name are then those of its words, which the
loader rests on and `tests/demo/test_people.py` checks.
"""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Origin:
    """People of one language. `weight`: how many of a hundred; `interpreter`: which share asks for one."""

    language: str
    weight: int
    interpreter: float
    women: tuple[str, ...]
    men: tuple[str, ...]
    first: tuple[str, ...]
    middle: tuple[str, ...]
    last: tuple[str, ...]
    family_first: bool = False
    country: str = ""

    @cached_property
    def families(self) -> tuple[str, ...]:
        return tuple(f"{first}{middle}{last}" for first in self.first for middle in self.middle for last in self.last)


def _origin(tag: str, weight: int, interpreter: float, *parts: str, country: str, family_first: bool = False) -> Origin:
    women, men, first, middle, last = (tuple("" if word == "-" else word for word in part.split()) for part in parts)
    return Origin(tag, weight, interpreter, women, men, first, middle, last, family_first, country)


ORIGINS = (
    _origin(
        "ar-SY", 20, 0.6,
        "آمنة فاطمة ليلى مريم سلمى نور هدى رنا ريم سعاد زينب خديجة حليمة رقية سمية جميلة شيرين عائشة أميرة وفاء",
        "محمد أحمد علي حسن حسين عمر يوسف خالد طارق كريم سعيد سالم سمير ماهر زياد فيصل ناصر بلال ياسر رامي هاني",
        "صر حمو دقا برا شعر قطا زعي عوا نحا مرا خيا تلا بيطا سكا غزا جندا",
        "- ن ل د ر س م ش ب ف",
        "ني وي ري لي ان ون ور وش يف يط",
        country="SY",
    ),
    _origin(
        "es", 16, 0.5,
        "María Lucía Rosalba Ximena Marisol Camila Valentina Daniela Gabriela Yolanda Carmen Elena Paola Andrea Inés",
        "José Carlos Luis Mateo Santiago Andrés Diego Javier Rafael Emilio Pablo Tomás Ignacio Fernando Óscar",
        "Urb Ort Quint Mend Alv Cast Bar Mor Sal Ver Zam Tor Guz Fon Lar Ped",
        "a e i o al ar er in or un",
        "vez rro ndo ño lla scal rales tuzo mbel",
        country="CO",
    ),
    _origin(
        "fr", 15, 0.05,
        "Nadège Guerline Wislande Aminata Fatou Mariam Chantal Béatrice Solange Grâce Divine Espérance Rose Anne",
        "Lamine Ousmane Ibrahima Moussa Patrice Prosper Fabrice Emmanuel Junior Jean Wilner Serge Dieudonné Koffi",
        "Ngue Kasso Mba Dia Tra Kou Beau Val Des Fle Jol Pet Sain Mukan Ilun Tshi",
        "mo li ra be na ga du ro vi",
        "mba ré cimond vert rin laine sseau bila kou té",
        country="CD",
    ),
    _origin(
        "uk", 9, 0.6,
        "Олена Ірина Марія Оксана Наталія Тетяна Юлія Катерина Світлана Людмила Галина Дарія Софія Вікторія",
        "Тарас Богдан Андрій Олександр Сергій Дмитро Василь Петро Микола Юрій Роман Остап Максим Ілля",
        "Вишн Терн Колос Дуб Хмар Степ Сокол Ворон Журав Кали Яво Берез Мороз Гон",
        "- а о и у ев ов ен ин",
        "енко чук ський ишин ко як",
        country="UA",
    ),
    _origin(
        "prs", 9, 0.7,
        "پروین فرشته ژاله شیرین مینا زرغونه شکیلا نرگس لیلا مریم حمیرا نسرین فریبا پری",
        "نجیب غلام داود فرید کریم رحیم نادر شفیق همایون جواد عزیز قاسم بهرام رستم",
        "میر صاف نور کوه زر گل شیر باد سنگ رود ماه تاب دره آذ",
        "- ا و ی ست ند ما را",
        "زاده یار نژاد پور وال زی خیل مند",
        country="AF",
    ),
    _origin(
        "ti", 7, 0.7,
        "ሰላም ሳባ ለምለም ትርሓስ ኣበባ ሚልየን ፍርቱና ሄለን ራሄል ኣስቴር ጽጌ ብርኽቲ",
        "ዮናስ ተስፋይ ሃይለ ገብረ ኣማኑኤል ሚካኤል ዳዊት ሳሙኤል በራኺ ፍጹም ክብሮም ሃብቶም",
        "ገብረ ወልደ ተኽለ ሃብተ ኪዳነ በርሀ ዘርአ ኣስፋ መብራ ተወል",
        "መ ሚ ጻ ሓ ስ ኪ ማ ዮ",
        "ድህን ካኤል ርያም ላሰ ሮስ ዳን ኣብ ሴን",
        country="ER",
    ),
    _origin(
        "zh", 6, 0.5,
        "小梅 丽华 秀英 婷婷 静怡 春燕 雪琴 月明 佳宁 慧敏 晓兰 思雨",
        "小明 建国 志强 伟东 国华 文博 俊杰 海波 永康 子轩 立新 明远",
        "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 于 董 萧",
        "-",
        "-",
        country="CN", family_first=True,
    ),
    _origin(
        "ht", 6, 0.2,
        "Wideline Roselaure Mirlande Fabienne Guerda Ketsia Lovely Dieula Islande Yolande",
        "Jocelyn Frantz Evens Wisly Stanley Ronald Jameson Kervens Rodney Fritz",
        "Abel Belo Cherf Dori Estim Fil Jolim Lafor Mond Noël Phil Valci",
        "a i o é an en in on",
        "rd ssaint vil zard mé ntil cius",
        country="HT",
    ),
    _origin(
        "so", 4, 0.6,
        "Hodan Ifrah Sagal Ayaan Fadumo Hibaaq Nimco Shukri Ubax Deeqa",
        "Abdirahman Liban Guled Warsame Bile Cawaale Mahad Sharmarke Hirsi Jaamac",
        "Gaas Wal Far Dir Shir Xir Cal War Bar Maxa Gee Rob",
        "a aa e i o u",
        "le sme we dle xan ye to",
        country="SO",
    ),
    _origin(
        "ru", 3, 0.5,
        "Анна Елена Ольга Ирина Марина Нина Вера Надежда Полина Алина",
        "Иван Алексей Михаил Николай Павел Артём Денис Кирилл Глеб Егор",
        "Берёз Ветр Грач Жемч Зорь Клён Луг Мель Обла Пруд Ряб Туч",
        "- ан ен ин уш ов иц",
        "ов ев ин ский кин нов",
        country="RU",
    ),
    _origin(
        "bn", 3, 0.5,
        "আমিনা রোকেয়া শিরিন নাসরিন ফারজানা সুমাইয়া তানিয়া মিতা",
        "করিম রহিম হাসান ফারুক জামাল তারেক আরিফ সোহেল",
        "চৌ মজু সর তালু খন্দ ভূঁ মল্লি পাট শিক ব্যাপা",
        "- দা কা রা মা লা",
        "ধুরী মদার কার নিয়া ঠাকুর লিক",
        country="BD",
    ),
    _origin(
        "fa", 2, 0.5,
        "پریسا مهسا نازنین الهام سارا فرزانه مهناز لاله آرزو نگین",
        "آرش بابک کیان سیاوش پیمان کامران فرهاد مهران سهراب نیما",
        "کوه بهار رخش سپه مهر دری تهم فرو شاد گلن",
        "- ا ی ن ر س",
        "نیا زاد فر مند راد کیش",
        country="IR",
    ),
)  # fmt: skip
