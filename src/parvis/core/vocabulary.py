"""Word lists for search: words that say nothing, ways of asking, odd plurals.

All lists are one set, because a person may ask in any language on any page. A word that means something in
another of these languages ("car", "sin", "main", "sans" of "sans papiers") is therefore left out on purpose.
Words are written folded (see `parvis.core.language.fold`), Arabic as usual.
"""

FRENCH = """
a ai ainsi alors au aucun aussi aux avec avez avoir avons c ca ce ceci cela celle celles celui ces cet
cette ceux chez ci comme comment d dans de des du elle elles en encore es est et etes etre eu eux fait il
ils j je jusqu l la laquelle le lequel les lesquels leur leurs lors lui m ma mais me meme memes mes moi
mon n ne ni nos notre nous ont ou par pas pour pourquoi puis qu quand que quel quelle quelles quels qui
quoi s sa se selon ses si soi sommes son sont suis sur t ta te tes toi ton tous tout toute toutes tres tu
un une vers vos votre vous y
"""

ENGLISH = """
about am an and any are as at be been being but by can could did do does doing for from had has have having he
her hers him his how i if in into is it its just m me my of on or our ours out re she should so some such than
that the their theirs them then there these they this those to too us very was we were what when where which
who whom whose why will with would you your yours
"""

SPANISH = """
al algo algun alguna algunas algunos ante asi cada como con cual cuales cuando de del donde e el ella
ellas ellos en entre era eran eres es esa esas ese eso esos esta estan estas este esto estos estoy fue ha
han hay la las le les lo los mas me mi mis muy nos nosotros nuestra nuestras nuestro nuestros o para pero
por porque que quien quienes se ser si sobre somos son soy su sus tambien tan te tengo tiene tienen tu tus
u un una unas uno unos usted ustedes vuestra vuestro y ya yo
"""

ARABIC = """
في من الى على عن مع هذا هذه ذلك تلك التي الذي الذين هو هي هم نحن انا انت كان كانت يكون تكون قد لا ما لم لن
ان او ثم كل بعض عند عندي لي لك له لها لنا هل كيف اين متى لماذا ماذا ايضا بين حول خلال حتى اذا لكن و ف ب ل
ك
"""

STOP = f"{FRENCH} {ENGLISH} {SPANISH} {ARABIC}"

# Ways of asking, taken away from a question (never from a text that is indexed) as long as something is left:
# "je cherche un avocat" asks for a lawyer.
ASKING = """
bonjour bonsoir salut svp merci plait cherche cherchons chercher recherche recherchons voudrais
voudrait voulons veux veut aimerais souhaite souhaitons faut faudrait besoin trouver trouve obtenir
puis peux peut pouvons aidez aider quelqu

hello hi please thanks thank looking searching search need want wants wish like find finding get getting
there someone anyone

hola favor gracias necesito necesitamos busco buscamos buscando quiero queremos quisiera gustaria
encontrar conseguir obtener puedo podemos puede ayudame alguien estoy

مرحبا السلام عليكم فضلك سمحت شكرا احتاج نحتاج محتاج محتاجه بحاجه حاجه اريد نريد ابحث نبحث البحث اود يمكنني
يمكن استطيع اجد ايجاد الحصول يوجد
"""

# "Help" is what is looked for in "aide alimentaire" but only a way of asking in "aide pour un logement"
# or "I need help with housing": these words go when a word of the second set follows or an asking word
# comes before.
HELP = "aide help assistance support ayuda apoyo مساعده المساعده"
HELP_TOWARDS = "pour avec a with for to me para con في من علي ل moi finding trouver"

# Forms that no rule brings together, "form<its stem"; Latin stems are final, Arabic ones are stemmed further.
IRREGULAR = """
children<child men<man women<woman feet<foot teeth<tooth mice<mouse travaux<traval yeux<oeil mesdames<madame
messieurs<monsieur nino<nin nina<nin ninos<nin ninas<nin hijo<hij hija<hij hijos<hij hijas<hij gratis<gratuit
"""
ARABIC_PLURALS = """
دروس<درس مدارس<مدرسة أطفال<طفل أولاد<ولد وظائف<وظيفة وثائق<وثيقة برامج<برنامج مراكز<مركز منازل<منزل بيوت<بيت
أطباء<طبيب نساء<امرأة شباب<شاب أسر<أسرة عوائل<عائلة حقوق<حق أوراق<ورقة أطعمة<طعام أمراض<مرض أشخاص<شخص
طلاب<طالب أدوية<دواء كتب<كتاب مكاتب<مكتب مساكن<سكن محاكم<محكمة عيادات<عيادة حضانات<حضانة ملابس<لباس
لغات<لغة أعمال<عمل أيام<يوم أسنان<سن لاجئون<لاجئ لاجئين<لاجئ مهاجرون<مهاجر مهاجرين<مهاجر محامون<محامي
محامين<محامي قوانين<قانون
"""

# What the elided words before an apostrophe are: "l'école", "d'accueil".
ELISIONS = "l d j qu n s m t c jusqu lorsqu puisqu quoiqu quelqu presqu o"

# Languages and scripts written from right to left.
RTL_LANGUAGES = "ar arc ckb dv fa glk he ks lrc mzn nqo pnb ps sd syr ug ur yi azb"
RTL_SCRIPTS = "Adlm Arab Aran Hebr Mand Nkoo Rohg Samr Syrc Thaa"

# Old or three-letter codes with a shorter preferred form (RFC 5646, section 4.5: always the shortest code).
PREFERRED_CODES = """
iw<he in<id ji<yi jw<jv mo<ro eng<en fra<fr fre<fr spa<es ara<ar arb<ar por<pt zho<zh chi<zh
cmn<zh rus<ru ukr<uk fas<fa per<fa pes<fa urd<ur hin<hi ben<bn tur<tr vie<vi deu<de ger<de
ita<it hat<ht som<so tir<ti amh<am swa<sw tgl<tl fil<tl pan<pa tam<ta kor<ko jpn<ja pol<pl
ron<ro rum<ro ell<el gre<el heb<he kur<ku pus<ps lin<ln wol<wo
"""

# Names of languages that directories use and locale data does not list as such.
OTHER_NAMES = (
    "mandarin<zh, cantonese<yue, cantonais<yue, farsi<fa, dari<prs, creole<ht, haitian<ht, kreyol<ht, "
    "tagalog<tl, punjabi<pa, panjabi<pa, bengali<bn, pashto<ps, amharic<am, american sign language<ase, "
    "asl<ase, lsq<fcs, langue des signes quebecoise<fcs, langue des signes francaise<fsl"
)

# Languages that directories may name in the language itself ("Kiswahili"); loading all of them costs memory.
OFTEN_SPOKEN = """
am bn bg cs de el fa fi fil ff ha he hi hr hu hy id ig it ja ka km ko ku lo ml my ne nl om pa pl ps pt ro ru rw si
sk so sq sr sv sw ta te th ti tr uk ur uz vi wo yo zh zu
"""
