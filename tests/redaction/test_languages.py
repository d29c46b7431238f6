"""What is found in Spanish, French, German and Hindi, as tables: the text, and the words that are private in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction.finders import find_all
from gateway.redaction.heard import Heard
from gateway.redaction.languages import LANGUAGES, spoken_language
from gateway.redaction.spans import resolve
from gateway.redaction.spoken import view

NUMBERS = [
    ("es", "cuatro cinco tres dos, once, ocho cero", "45321180"),
    ("es", "seiscientos doce treinta y cuatro cincuenta y seis", "6123456"),
    ("es", "doble cuatro un dos", "4412"),
    ("es", "veintidós veintiuna dieciséis", "222116"),
    ("es", "mil novecientos ochenta y cuatro", "1984"),
    ("es", "dos mil cuatro", "2004"),
    ("es", "cuatro, a ver, cinco", "45"),
    ("fr", "zéro six douze trente-quatre", "061234"),
    ("fr", "soixante-dix-sept", "77"),
    ("fr", "soixante et onze", "71"),
    ("fr", "quatre-vingt-dix-huit quatre vingt un quatre vingts", "988180"),
    ("fr", "septante-deux nonante et un huitante", "729180"),
    ("fr", "mille neuf cent quatre-vingt-quatre", "1984"),
    ("fr", "deux cent cinquante", "250"),
    ("fr", "un deux un", "121"),
    ("de", "vier fünf drei zwo", "4532"),
    ("de", "zweiundvierzig zwei und vierzig", "4242"),
    ("de", "einundzwanzig sechzehn siebzig", "211670"),
    ("de", "neunzehnhundertvierundachtzig", "1984"),
    ("de", "zweitausendvier", "2004"),
    ("de", "doppel vier doppelfünf eins", "44551"),
    ("de", "null eins fuenf zwoelf", "01512"),
    ("hi", "चार पाँच तीन दो", "4532"),
    ("hi", "बयालीस निन्यानवे उनसठ सड़सठ", "42995967"),
    ("hi", "bayalis ninyanve unsath", "429959"),
    ("hi", "nau aath saat double four do teen", "9874423"),
    ("hi", "उन्नीस सौ चौरासी", "1984"),
    ("hi", "do hazaar chaar", "2004"),
    ("hi", "९८७६", "9876"),
    ("es", "four five three", "453"),
    ("hi", "four पाँच teen", "453"),
]


@pytest.mark.parametrize(("language", "said", "written"), NUMBERS)
def test_number_words_of_every_language_are_written_as_digits(language: str, said: str, written: str) -> None:
    assert view(said, spoken_language(language)).text == written


def test_every_number_from_0_to_99_can_be_said_in_every_language() -> None:
    from gateway.redaction.french import FRENCH
    from gateway.redaction.german import GERMAN
    from gateway.redaction.hindi import HINDI
    from gateway.redaction.spanish import SPANISH

    for code, vocabulary in (("es", SPANISH), ("fr", FRENCH), ("de", GERMAN), ("hi", HINDI)):
        ways = {**vocabulary.small, **vocabulary.soft}
        assert set(ways.values()) >= set(range(100)), code
        for way, value in vocabulary.small.items():
            assert view(way, spoken_language(code)).text == str(value), (code, way)


IBAN = "E S nueve uno dos uno cero cero cero cuatro uno ocho cuatro cinco cero dos cero cero cero cinco uno tres tres dos"
SAID = {
    "es": [
        ("mi número de tarjeta es cuatro cinco tres dos uno uno ocho cero nueve seis seis uno dos tres cuatro cinco",
         {"CREDIT_CARD": "cuatro cinco tres dos uno uno ocho cero nueve seis seis uno dos tres cuatro cinco"}),
        ("La tarjeta termina en cuatro tres dos uno.", {"CREDIT_CARD": "cuatro tres dos uno"}),
        ("el código de seguridad es siete tres uno", {"CVV": "siete tres uno"}),
        ("caduca en agosto de dos mil veintisiete", {"CARD_EXPIRY": "agosto de dos mil veintisiete"}),
        ("mi teléfono es el seiscientos doce, treinta y cuatro, cincuenta y seis, setenta y ocho",
         {"PHONE_NUMBER": "seiscientos doce, treinta y cuatro, cincuenta y seis, setenta y ocho"}),
        ("llámeme al cincuenta y cinco doce treinta y cuatro cincuenta y seis setenta y ocho",
         {"PHONE_NUMBER": "cincuenta y cinco doce treinta y cuatro cincuenta y seis setenta y ocho"}),
        ("mi correo es jose guion bajo lopez arroba gmail punto com",
         {"EMAIL_ADDRESS": "jose guion bajo lopez arroba gmail punto com"}),
        ("escríbame a ana punto garcía arroba ejemplo punto es", {"EMAIL_ADDRESS": "ana punto garcía arroba ejemplo punto es"}),
        ("el número de cuenta es doble cuatro siete uno nueve nueve tres",
         {"BANK_ACCOUNT": "doble cuatro siete uno nueve nueve tres"}),
        ("nací el tres de marzo de mil novecientos ochenta y cuatro",
         {"DATE_OF_BIRTH": "tres de marzo de mil novecientos ochenta y cuatro"}),
        ("Mi fecha de nacimiento es el 12/05/1979.", {"DATE_OF_BIRTH": "12/05/1979"}),
        ("me llamo Ana de la Cruz y tengo un problema", {"PERSON": "Ana de la Cruz"}),
        ("mi nombre es josé maría pérez", {"PERSON": "josé maría pérez"}),
        ("se escribe erre o jota a ese", {"PERSON": "erre o jota a ese"}),
        ("M de María, A de Ana, R de Roma", {"PERSON": "M de María, A de Ana, R de Roma"}),
        ("vivo en la calle Mayor número cuarenta y dos, en Getafe",
         {"STREET_ADDRESS": "calle Mayor número cuarenta y dos", "LOCATION": "Getafe"}),
        ("mi código postal es dos ocho cero cero uno", {"ZIP_CODE": "dos ocho cero cero uno"}),
        ("mi pin es nueve uno uno dos", {"PIN": "nueve uno uno dos"}),
        ("el código que me llegó es cinco cinco cero uno", {"ONE_TIME_CODE": "cinco cinco cero uno"}),
        ("mi contraseña es caballo azul noventa y nueve", {"PASSWORD": "caballo azul noventa y nueve"}),
        ("buenas, le habla Carlos Ruiz Soto, llamo por mi factura", {"PERSON": "Carlos Ruiz Soto"}),
        ("mi hija se llama Lucía y tiene cinco años", {"PERSON": "Lucía", "AGE": "cinco"}),
        ("mi DNI es cinco tres uno dos cuatro cinco uno dos zeta", {"ID_NUMBER": "cinco tres uno dos cuatro cinco uno dos zeta"}),
        (f"mi IBAN es {IBAN}", {"IBAN_CODE": IBAN}),
        ("My card es four five three two one one eight zero nine six six one two three four five",
         {"CREDIT_CARD": "four five three two one one eight zero nine six six one two three four five"}),
    ],
    "fr": [
        ("mon numéro de carte c'est quatre cinq trois deux, un un huit zéro, neuf six six un, deux trois quatre cinq",
         {"CREDIT_CARD": "quatre cinq trois deux, un un huit zéro, neuf six six un, deux trois quatre cinq"}),
        ("le cryptogramme au dos c'est sept trois un", {"CVV": "sept trois un"}),
        ("elle expire en août deux mille vingt-sept", {"CARD_EXPIRY": "août deux mille vingt-sept"}),
        ("mon numéro de téléphone c'est le zéro six, douze, trente-quatre, quatre-vingt-dix-huit, soixante et onze",
         {"PHONE_NUMBER": "zéro six, douze, trente-quatre, quatre-vingt-dix-huit, soixante et onze"}),
        ("rappelez-moi au 06 12 34 56 78", {"PHONE_NUMBER": "06 12 34 56 78"}),
        ("mon mail est jean tiret du bas dupont arobase orange point fr",
         {"EMAIL_ADDRESS": "jean tiret du bas dupont arobase orange point fr"}),
        ("mon numéro de compte est septante-deux nonante-cinq zéro un", {"BANK_ACCOUNT": "septante-deux nonante-cinq zéro un"}),
        ("je suis né le premier mars mille neuf cent quatre-vingt-quatre",
         {"DATE_OF_BIRTH": "premier mars mille neuf cent quatre-vingt-quatre"}),
        ("je m'appelle Jean de La Fontaine et j'ai un souci", {"PERSON": "Jean de La Fontaine"}),
        ("Mon nom est Chloé Lefèvre.", {"PERSON": "Chloé Lefèvre"}),
        ("ça s'écrit D U P O N T", {"PERSON": "D U P O N T"}),
        ("K comme Kilo, O, W comme William, A", {"PERSON": "K comme Kilo, O, W comme William, A"}),
        ("j'habite au 12 bis rue de la Paix", {"STREET_ADDRESS": "12 bis rue de la Paix"}),
        ("ma fille s'appelle Lucie et elle a cinq ans", {"PERSON": "Lucie", "AGE": "cinq"}),
        ("j'habite à Villeurbanne", {"LOCATION": "Villeurbanne"}),
        ("mon code postal est soixante-neuf cent", {"ZIP_CODE": "soixante-neuf cent"}),
        ("mon code confidentiel est neuf un un deux", {"PIN": "neuf un un deux"}),
        ("le code reçu par SMS est cinq cinq zéro un", {"ONE_TIME_CODE": "cinq cinq zéro un"}),
        ("mon mot de passe est cheval bleu quatre-vingt-dix-neuf", {"PASSWORD": "cheval bleu quatre-vingt-dix-neuf"}),
        ("mon numéro de sécurité sociale est un quatre-vingt-quatre zéro trois soixante-quinze",
         {"ID_NUMBER": "un quatre-vingt-quatre zéro trois soixante-quinze"}),
    ],
    "de": [
        ("meine Kartennummer ist vier fünf drei zwo, eins eins acht null, neun sechs sechs eins, zwei drei vier fünf",
         {"CREDIT_CARD": "vier fünf drei zwo, eins eins acht null, neun sechs sechs eins, zwei drei vier fünf"}),
        ("die Prüfziffer auf der Rückseite ist sieben drei eins", {"CVV": "sieben drei eins"}),
        ("sie ist gültig bis August zweitausendsiebenundzwanzig", {"CARD_EXPIRY": "August zweitausendsiebenundzwanzig"}),
        ("meine Handynummer ist null eins sieben zwei, dreiundvierzig, sechsundfünfzig, neunundneunzig",
         {"PHONE_NUMBER": "null eins sieben zwei, dreiundvierzig, sechsundfünfzig, neunundneunzig"}),
        ("Sie erreichen mich unter 0171 3920055", {"PHONE_NUMBER": "0171 3920055"}),
        ("meine E-Mail ist hans punkt müller ät gmx punkt de", {"EMAIL_ADDRESS": "hans punkt müller ät gmx punkt de"}),
        ("die Kontonummer lautet doppel vier sieben eins neun neun drei",
         {"BANK_ACCOUNT": "doppel vier sieben eins neun neun drei"}),
        ("mein Geburtsdatum ist der dritte März neunzehnhundertvierundachtzig",
         {"DATE_OF_BIRTH": "der dritte März neunzehnhundertvierundachtzig"}),
        ("ich bin am 3. März 1984 geboren", {"DATE_OF_BIRTH": "3. März 1984"}),
        ("mein Name ist Ludwig von Berg und ich habe eine Frage", {"PERSON": "Ludwig von Berg"}),
        ("hier spricht anna schönfeld", {"PERSON": "anna schönfeld"}),
        ("ich heiße Jürgen Groß", {"PERSON": "Jürgen"}),
        ("S wie Siegfried, C, H, U, L, Z", {"PERSON": "S wie Siegfried, C, H, U, L, Z"}),
        ("ich wohne in der Hauptstraße zwölf", {"STREET_ADDRESS": "Hauptstraße zwölf"}),
        ("meine Tochter heißt Lena und ist fünf Jahre alt", {"PERSON": "Lena", "AGE": "fünf"}),
        ("ich wohne in Wuppertal", {"LOCATION": "Wuppertal"}),
        ("meine Postleitzahl ist eins null eins eins fünf", {"ZIP_CODE": "eins null eins eins fünf"}),
        ("meine PIN ist neun eins eins zwei", {"PIN": "neun eins eins zwei"}),
        ("der Bestätigungscode ist fünf fünf null eins", {"ONE_TIME_CODE": "fünf fünf null eins"}),
        ("mein Passwort ist blaues pferd neunundneunzig", {"PASSWORD": "blaues pferd neunundneunzig"}),
        ("meine IBAN ist DE89 3704 0044 0532 0130 00", {"IBAN_CODE": "DE89 3704 0044 0532 0130 00"}),
    ],
    "hi": [
        ("मेरा कार्ड नंबर है चार पाँच तीन दो एक एक आठ शून्य नौ छह छह एक दो तीन चार पाँच",
         {"CREDIT_CARD": "चार पाँच तीन दो एक एक आठ शून्य नौ छह छह एक दो तीन चार पाँच"}),
        ("mera card number hai char paanch teen do ek ek aath zero nau chhe chhe ek do teen char paanch",
         {"CREDIT_CARD": "char paanch teen do ek ek aath zero nau chhe chhe ek do teen char paanch"}),
        ("सीवीवी सात तीन एक है", {"CVV": "सात तीन एक"}),
        ("मेरा मोबाइल नंबर नौ आठ सात छह पाँच चार तीन दो एक शून्य है", {"PHONE_NUMBER": "नौ आठ सात छह पाँच चार तीन दो एक शून्य"}),
        ("mera mobile number nine eight seven six double five char teen do ek hai",
         {"PHONE_NUMBER": "nine eight seven six double five char teen do ek"}),
        ("मेरा ईमेल राहुल डॉट शर्मा एट जीमेल डॉट कॉम है", {"EMAIL_ADDRESS": "राहुल डॉट शर्मा एट जीमेल डॉट कॉम"}),
        ("meri email id rahul underscore sharma at the rate gmail dot com hai",
         {"EMAIL_ADDRESS": "rahul underscore sharma at the rate gmail dot com"}),
        ("खाता संख्या चार चार सात एक नौ नौ तीन है", {"BANK_ACCOUNT": "चार चार सात एक नौ नौ तीन"}),
        ("मेरी जन्म तिथि तीन मार्च उन्नीस सौ चौरासी है", {"DATE_OF_BIRTH": "तीन मार्च उन्नीस सौ चौरासी"}),
        ("मेरा नाम राहुल शर्मा है", {"PERSON": "राहुल शर्मा"}),
        ("नमस्ते मैं अनिल कुमार बोल रहा हूँ", {"PERSON": "अनिल कुमार"}),
        ("मेरी बेटी का नाम लता है और वह पाँच साल की है", {"PERSON": "लता", "AGE": "पाँच"}),
        ("mera naam rahul sharma hai", {"PERSON": "rahul sharma"}),
        ("आर ए एच यू एल", {"PERSON": "आर ए एच यू एल"}),
        ("मेरा आधार नंबर दो तीन चार पाँच छह सात आठ नौ शून्य एक दो तीन है",
         {"IN_AADHAAR": "दो तीन चार पाँच छह सात आठ नौ शून्य एक दो तीन"}),
        ("पिन कोड एक एक शून्य शून्य शून्य एक है", {"ZIP_CODE": "एक एक शून्य शून्य शून्य एक"}),
        ("ओटीपी पाँच पाँच शून्य एक है", {"ONE_TIME_CODE": "पाँच पाँच शून्य एक"}),
        ("मैं मुंबई में रहता हूँ", {"LOCATION": "मुंबई"}),
        ("main Nashik mein rehta hoon", {"LOCATION": "Nashik"}),
        ("पता है मकान नंबर बयालीस गांधी नगर", {"STREET_ADDRESS": "मकान नंबर बयालीस गांधी नगर"}),
    ],
}  # fmt: skip

HARMLESS = {
    "es": [
        "quiero una cita el martes a las diez y media",
        "cuesta mil doscientos cincuenta euros al mes",
        "llevo más de tres semanas esperando el reembolso",
        "el número de pedido es a b siete nueve dos",
        "olvidé mi contraseña y no puedo entrar",
        "abren de ocho a seis y media",
        "soy cliente desde hace dos años",
        "mi vuelo sale de la puerta veintidós",
        "no, gracias, eso es todo",
        "¿me puede decir el saldo de mi cuenta?",
    ],
    "fr": [
        "je voudrais un rendez-vous mardi à dix heures et demie",
        "ça coûte mille deux cent cinquante euros par mois",
        "j'attends le remboursement depuis trois semaines",
        "le numéro de commande est a b sept neuf deux",
        "j'ai oublié mon mot de passe",
        "vous êtes ouverts de huit heures à dix-huit heures",
        "je suis client depuis deux ans",
        "mon vol part de la porte vingt-deux",
        "non merci, c'est tout",
    ],
    "de": [
        "ich möchte einen Termin am Dienstag um halb elf",
        "das kostet zwölfhundertfünfzig Euro im Monat",
        "ich warte seit mehr als drei Wochen auf die Rückzahlung",
        "die Bestellnummer ist a b sieben neun zwei",
        "ich habe mein Passwort vergessen",
        "Sie haben von acht bis achtzehn Uhr geöffnet",
        "ich bin seit zwei Jahren Kunde",
        "mein Flug geht von Gate zweiundzwanzig",
        "nein danke, das ist alles",
        "Kann ich bitte den Kontostand haben?",
    ],
    "hi": [
        "मुझे मंगलवार को दस बजे का अपॉइंटमेंट चाहिए",
        "इसकी कीमत बारह सौ पचास रुपये है",
        "mujhe do din se problem hai",
        "main teen hafte se refund ka wait kar raha hoon",
        "ऑर्डर नंबर सात नौ दो है",
        "मैं पासवर्ड भूल गया",
        "ek minute rukiye",
        "नहीं धन्यवाद, बस इतना ही",
        "haan ji theek hai",
    ],
}

PRIVATE = [(language, said, private) for language, rows in SAID.items() for said, private in rows]


@pytest.mark.parametrize(("language", "said", "private"), PRIVATE)
def test_what_is_private_is_found_with_its_kind_and_its_exact_words(language: str, said: str, private: dict[str, str]) -> None:
    spans = resolve(said, find_all(Heard.of(said, language=language)))
    found = {str(span.entity): said[span.start : span.end] for span in spans}
    assert {kind: words for kind, words in found.items() if kind in private} == private


@pytest.mark.parametrize(("language", "said"), [(language, said) for language, rows in HARMLESS.items() for said in rows])
def test_what_is_nobodys_secret_stays(language: str, said: str) -> None:
    assert [said[span.start : span.end] for span in resolve(said, find_all(Heard.of(said, language=language)))] == []


ANSWERS = [
    ("es", "¿Cuál es su fecha de nacimiento?", "el tres del cuatro del ochenta y cuatro", "DATE_OF_BIRTH"),
    ("es", "¿Me puede dar su número de teléfono?", "sí, seis uno dos tres cuatro", "PHONE_NUMBER"),
    ("es", "¿Cómo se llama?", "marta lindqvist", "PERSON"),
    ("fr", "Quel est votre numéro de téléphone ?", "oui, zéro six douze", "PHONE_NUMBER"),
    ("fr", "Quelle est votre date de naissance ?", "trois avril mille neuf cent quatre-vingt-quatre", "DATE_OF_BIRTH"),
    ("de", "Wie ist Ihre Telefonnummer?", "ja, null eins sieben zwei drei", "PHONE_NUMBER"),
    ("de", "Wie heißen Sie?", "marta lindqvist", "PERSON"),
    ("hi", "आपका मोबाइल नंबर क्या है?", "नौ आठ सात छह पाँच", "PHONE_NUMBER"),
    ("hi", "aapka naam kya hai?", "marta lindqvist", "PERSON"),
    ("es", "¿Cuánto tiempo esperó?", "dos tres horas", None),
]


@pytest.mark.parametrize(("language", "before", "said", "kind"), ANSWERS)
def test_an_answer_is_understood_by_its_question_in_every_language(
    language: str, before: str, said: str, kind: str | None
) -> None:
    spans = resolve(said, find_all(Heard.of(said, before, language)))
    assert [str(span.entity) for span in spans] == ([kind] if kind else [])


@pytest.mark.parametrize("tag", ["es", "es-MX", "FR", "fr-CA", "de-CH", "hi-IN", "en-GB"])
def test_a_language_is_known_by_its_tag(tag: str) -> None:
    assert spoken_language(tag).code == tag[:2].lower()


def test_a_language_that_nobody_hears_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'xx'"):
        spoken_language("xx")


@given(st.sampled_from(sorted(LANGUAGES)), st.text(max_size=60), st.data())
def test_any_text_has_a_view_whose_stretches_lie_within_the_text(language: str, said: str, data: st.DataObject) -> None:
    seen = view(said, spoken_language(language))
    if not seen.text:
        return
    start = data.draw(st.integers(0, len(seen.text) - 1))
    end = data.draw(st.integers(start + 1, len(seen.text)))
    first, last = seen.span(start, end)
    assert 0 <= first < last <= len(said)


WORDS = [
    "quatre",
    "vingt",
    "dix",
    "et",
    "un",
    "cent",
    "mille",
    "दो",
    "सौ",
    "l'",
    "d'",
    "de",
    "wie",
    "s",
    "und",
    "zwei",
    "-",
    ",",
    "3.",
    "y",
]


@given(st.sampled_from(sorted(LANGUAGES)), st.lists(st.sampled_from(WORDS), max_size=14))
def test_words_in_any_order_are_read_and_found_within_the_text(language: str, words: list[str]) -> None:
    said = " ".join(words)
    for span in find_all(Heard.of(said, language=language)):
        assert 0 <= span.start < span.end <= len(said)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_hostile_text_of_thousand_words_and_more_is_still_read(language: str) -> None:
    """No table takes quadratic time on a long run of what it looks for: this ends well within the test's own limit."""
    for piece in ("cuatro ", "un ", "de la ", "m de ", "quatre-vingt-", "zwei und ", "दो ", "a "):
        assert isinstance(view(piece * 1_000, spoken_language(language)).text, str)
