"""The words that lists of arriving people use, in French, English, Arabic, Spanish, Ukrainian and Russian."""

# ruff: noqa: E501 - words in scripts of other widths

from parvis.core.language import fold

#: field -> headings of its column, separated by "|"; compared folded, without punctuation
COLUMNS = {
    "name": "nom complet|nom et prénom|nom et prénoms|nom prénom|prénom et nom|noms et prénoms|nom|noms|passager|nom du "
    "passager|name|names|full name|complete name|passenger|passenger name|pax name|guest name|applicant|applicant name|"
    "الاسم|الاسم الكامل|الاسم بالكامل|اسم المسافر|الاسم الثلاثي|اسم|nombre completo|nombre y apellidos|nombres y "
    "apellidos|apellidos y nombres|pasajero|піб|повне імʼя|повне ім'я|прізвище та імʼя|прізвище ім'я по батькові|"
    "пасажир|фио|полное имя|имя и фамилия|фамилия и имя|фамилия имя отчество|пассажир|nom du demandeur",
    "name_local": "nom dans la langue d'origine|nom original|nom en arabe|nom arabe|nom en écriture d'origine|native "
    "name|name in native script|name in arabic|arabic name|local name|original name|nombre original|nombre en árabe|"
    "الاسم بالعربية|الاسم باللغة العربية|الاسم العربي|імʼя мовою оригіналу|имя на родном языке|name in original script|"
    "nom en cyrillique|name in cyrillic",
    "given": "prénom|prénoms|premier prénom|given name|given names|first name|first names|forename|forenames|firstname|"
    "الاسم الأول|الاسم الشخصي|الاسم الاول|nombre|nombres|nombre de pila|імʼя|ім'я|имя|имена|імена|givenname|"
    "prénom usuel",
    "family": "nom de famille|nom de naissance|patronyme|family name|last name|surname|lastname|surnames|familyname|"
    "last names|اسم العائلة|الكنية|اللقب|النسبة|اسم الأسرة|apellido|apellidos|primer apellido|прізвище|фамилия",
    "birth_date": "date de naissance|naissance|né le|née le|né(e) le|ddn|d d n|date naissance|date of birth|dob|d o b|"
    "birth date|birthdate|born|born on|birthday|تاريخ الميلاد|تاريخ الولادة|الميلاد|المواليد|fecha de nacimiento|"
    "nacimiento|f nacimiento|fecha nac|дата народження|народився|дата рождения|родился|д р",
    "birth_year": "année de naissance|an de naissance|year of birth|birth year|yob|سنة الميلاد|سنة الولادة|año de "
    "nacimiento|рік народження|год рождения",
    "age": "âge|age|العمر|السن|edad|вік|возраст|âge ans|age years",
    "gender": "sexe|genre|sex|gender|الجنس|النوع|sexo|género|стать|пол|m f|f m|h f",
    "relation": "lien|lien de parenté|parenté|lien avec le demandeur|lien avec le chef de famille|lien avec le "
    "requérant principal|rôle|relation|relationship|relation to principal applicant|relation to head|relationship to "
    "pa|relationship to principal applicant|relation to pa|family role|role|صلة القرابة|القرابة|العلاقة|صلة القرابه|"
    "parentesco|relación|vínculo|спорідненість|родинний звʼязок|родинний зв'язок|ступінь споріднення|родство|степень "
    "родства",
    "language": "langue|langue parlée|langue maternelle|langues|langue de communication|language|languages|mother tongue"
    "|spoken language|preferred language|first language|اللغة|اللغة الأم|لغة|idioma|lengua|lengua materna|idiomas|мова|"
    "рідна мова|язык|родной язык",
    "phone": "téléphone|tél|numéro de téléphone|cellulaire|portable|mobile|no de téléphone|n de téléphone|phone|"
    "telephone|phone number|cell|cell phone|mobile number|contact number|tel|الهاتف|رقم الهاتف|الجوال|رقم الجوال|هاتف|"
    "teléfono|móvil|celular|número de teléfono|телефон|номер телефону|номер телефона|мобільний|whatsapp",
    "document": "passeport|no de passeport|numéro de passeport|n passeport|no passeport|pièce d'identité|no de document|"
    "numéro de document|no document|titre de voyage|document|iuc|identifiant unique de client|id client|passport|"
    "passport no|passport number|passport nr|travel document|travel document no|document number|document no|doc no|id "
    "number|id no|uci|client id|national id|رقم الجواز|جواز السفر|رقم جواز السفر|رقم الوثيقة|رقم الهوية|الجواز|"
    "pasaporte|número de pasaporte|no de pasaporte|documento|número de documento|паспорт|номер паспорта|номер документа"
    "|номер паспорту|doc number|alien number|unhcr id|unhcr individual id",
    "case": "dossier|no de dossier|numéro de dossier|n dossier|no dossier|dossier familial|numéro de famille|no famille|"
    "famille no|cas|no de cas|famille|numéro de groupe|groupe|case|case no|case number|case id|file|file no|file "
    "number|family no|family number|family id|family|household|household id|household number|group|group no|unhcr case"
    "|unhcr case number|رقم الملف|رقم العائلة|رقم الأسرة|الملف|رقم القضية|caso|número de caso|expediente|no de "
    "expediente|familia|número de familia|номер справи|справа|номер родини|родина|сімʼя|номер дела|дело|семья|номер "
    "семьи|g number",
    "address": "adresse|destination|adresse au canada|adresse de destination|hébergement|lieu d'hébergement|hôtel|"
    "logement|address|destination address|accommodation|housing|lodging|hotel|address in canada|العنوان|مكان الإقامة|"
    "السكن|عنوان السكن|dirección|domicilio|alojamiento|адреса|місце проживання|адрес|место проживания",
    "expected_on": "date d'arrivée|arrivée|arrivée le|date arrivée|date prévue|date d'arrivée prévue|arrival|arrival "
    "date|date of arrival|expected arrival|eta|arrives|arrives on|arrival on|expected on|تاريخ الوصول|الوصول|fecha de "
    "llegada|llegada|fecha llegada|дата прибуття|прибуття|дата приїзду|дата прибытия|прибытие|дата приезда|arrival "
    "date time|date et heure d'arrivée",
    "expected_time": "heure|heure d'arrivée|heure prévue|heure arrivée|time|arrival time|time of arrival|eta time|"
    "وقت الوصول|الساعة|ساعة الوصول|hora|hora de llegada|час прибуття|час|время|время прибытия",
    "flight": "vol|no de vol|numéro de vol|n vol|vol no|flight|flight no|flight number|flt|flight nr|رحلة|رقم الرحلة|"
    "الرحلة|vuelo|número de vuelo|no de vuelo|рейс|номер рейсу|номер рейса",
    "place": "lieu|lieu d'arrivée|aéroport|aéroport d'arrivée|terminal|point d'entrée|gare|place|airport|arrival airport"
    "|port of entry|poe|arrival place|point of entry|place of arrival|station|المطار|مكان الوصول|مطار الوصول|"
    "aeropuerto|lugar de llegada|lugar|аеропорт|місце прибуття|аэропорт|место прибытия",
}  # fmt: skip

GENDERS = {
    "female": "f|femme|féminin|fille|female|woman|girl|fem|أنثى|انثى|امرأة|بنت|مؤنث|mujer|femenino|niña|hembra|ж|жін|"
    "жіноча|жінка|женский|женщина|жен|дівчина|девочка|w|madame|mme",
    "male": "m|h|homme|masculin|garçon|male|man|boy|masc|ذكر|رجل|ولد|مذكر|hombre|masculino|niño|varón|ч|чол|чоловіча|"
    "чоловік|мужской|мужчина|муж|хлопець|мальчик|monsieur",
    "other": "x|autre|other|non binaire|non binary|nonbinary|آخر|otro|otra|інша|інше|другой|другое",
}

RELATIONS = {
    "head": "chef|chef de famille|chef de ménage|chef du ménage|requérant principal|requérante principale|demandeur|"
    "demandeur principal|demanderesse principale|demanderesse|rp|pa|principal applicant|principal|head|head of household|head of family|"
    "main applicant|self|hoh|applicant|hof|رب الأسرة|رب العائلة|ربة الأسرة|المتقدم الرئيسي|صاحب الطلب|cabeza|cabeza "
    "de familia|jefe de familia|jefa de familia|titular|solicitante principal|solicitante|голова сімʼї|голова сім'ї|"
    "голова родини|голова|заявник|основний заявник|глава семьи|глава|заявитель|основной заявитель",
    "spouse": "conjoint|conjointe|époux|épouse|mari|partenaire|spouse|wife|husband|partner|sp|common law partner|زوج|"
    "زوجة|الزوج|الزوجة|esposo|esposa|cónyuge|marido|pareja|дружина|чоловік|подружжя|партнер|жена|супруга|супруг|"
    "партнёр",
    "child": "enfant|fils|fille|enfant à charge|bébé|nourrisson|child|son|daughter|dependent child|dependant|dependent|"
    "dep|ch|baby|infant|dc|ابن|ابنة|الابن|الابنة|طفل|طفلة|بنت|ولد|hijo|hija|bebé|niño|niña|дитина|син|донька|дочка|"
    "ребенок|ребёнок|сын|дочь",
    "parent": "père|mère|parent|father|mother|أب|أم|والد|والدة|الأب|الأم|الوالد|الوالدة|padre|madre|батько|мати|мама|"
    "отец|мать",
    "sibling": "frère|soeur|sœur|brother|sister|sibling|أخ|أخت|الأخ|الأخت|اخ|اخت|hermano|hermana|брат|сестра",
    "grandparent": "grand-père|grand-mère|grandfather|grandmother|grandparent|جد|جدة|الجد|الجدة|abuelo|abuela|дідусь|"
    "бабуся|дедушка|бабушка",
    "grandchild": "petit-fils|petite-fille|petit-enfant|grandson|granddaughter|grandchild|حفيد|حفيدة|الحفيد|الحفيدة|nieto|nieta|онук|"
    "онука|внук|внучка",
    "ward": "pupille|enfant sous garde|enfant confié|ward|foster child|guardianship|تحت الوصاية|مكفول|menor a cargo|tutela|під опікою|"
    "опекаемый",
    "relative": "oncle|tante|cousin|cousine|neveu|nièce|belle-mère|beau-père|belle-soeur|beau-frère|parenté|uncle|aunt|"
    "nephew|niece|mother in law|father in law|sister in law|brother in law|relative|عم|عمة|خال|خالة|ابن عم|قريب|قريبة|"
    "tío|tía|primo|prima|sobrino|sobrina|suegro|suegra|pariente|дядько|тітка|племінник|племінниця|родич|дядя|тётя|"
    "племянник|племянница|родственник",
    "other": "autre|sans lien|ami|amie|other|none|friend|unrelated|صديق|آخر|لا يوجد|otro|otra|amigo|amiga|інше|друг|"
    "подруга|другое",
}

#: titles around a name, and the gender that they tell
TITLES = {
    "male": "m|mr|monsieur|mstr|master|sr|señor|السيد|пан|господин",
    "female": "mme|mrs|ms|miss|mlle|madame|mademoiselle|sra|srta|señora|señorita|السيدة|الآنسة|пані|госпожа",
    "unknown": "dr|pr|prof|inf|chd|د",
}

_MONTHS = (
    "janvier|janv|jan|january|كانون الثاني|يناير|جانفي|enero|ene|січень|січня|січ|январь|января|янв",
    "février|fevr|fev|feb|february|شباط|فبراير|فيفري|febrero|лютий|лютого|лют|февраль|февраля|фев",
    "mars|mar|march|آذار|اذار|مارس|marzo|березень|березня|бер|март|марта|мар",
    "avril|avr|apr|april|نيسان|أبريل|ابريل|أفريل|abril|abr|квітень|квітня|кві|апрель|апреля|апр",
    "mai|may|أيار|ايار|مايو|mayo|травень|травня|тра|май|мая",
    "juin|jun|june|حزيران|يونيو|جوان|junio|червень|червня|чер|июнь|июня|июн",
    "juillet|juil|jul|july|تموز|يوليو|جويلية|julio|липень|липня|лип|июль|июля|июл",
    "août|aout|aug|august|آب|اب|أغسطس|اغسطس|أوت|agosto|ago|серпень|серпня|сер|август|августа|авг",
    "septembre|sept|sep|september|أيلول|ايلول|سبتمبر|septiembre|вересень|вересня|вер|сентябрь|сентября|сен",
    "octobre|oct|october|تشرين الأول|تشرين الاول|أكتوبر|اكتوبر|octubre|жовтень|жовтня|жов|октябрь|октября|окт",
    "novembre|nov|november|تشرين الثاني|نوفمبر|noviembre|листопад|листопада|лис|ноябрь|ноября|ноя",
    "décembre|dec|december|كانون الأول|كانون الاول|ديسمبر|diciembre|dic|грудень|грудня|гру|декабрь|декабря|дек",
)


#: a month's name, folded -> 1 to 12
MONTHS = {fold(word): number for number, words in enumerate(_MONTHS, 1) for word in words.split("|")}
