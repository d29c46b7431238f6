"""German as it is spoken on the telephone, in Germany, Austria and Switzerland: a table, in the words of our rules."""

from __future__ import annotations

import re

from gateway.redaction.vocabulary import Vocabulary, folded, listed, phrases, words

_UNITS = listed("eins zwei|zwo drei vier fünf|fuenf sechs sieben acht neun", 1)
_BEFORE_AND = {**_UNITS, "ein": 1}
_TEENS = listed("zehn elf zwölf|zwoelf dreizehn vierzehn fünfzehn|fuenfzehn sechzehn siebzehn achtzehn neunzehn", 10)
_TENS = listed("zwanzig dreißig|dreissig vierzig fünfzig|fuenfzig sechzig siebzig achtzig neunzig", 2)

_SMALL = (
    {"null": 0}
    | _UNITS
    | _TEENS
    | {ten: 10 * value for ten, value in _TENS.items()}
    | {
        f"{unit}{gap}und{gap}{ten}": 10 * value + digit
        for ten, value in _TENS.items()
        for unit, digit in _BEFORE_AND.items()
        for gap in ("", " ")
    }
)

_GLUED = {folded(word): value for word, value in {**_SMALL, "ein": 1}.items() if " " not in word}
_PART = "|".join(sorted(_GLUED, key=lambda word: -len(word)))
_WHOLE = re.compile(
    rf"(?:(?P<thousands>{_PART})?tausend(?:und)?)?(?:(?P<hundreds>{_PART})?(?P<hundred>hundert)(?:und)?)?(?P<rest>{_PART})?\Z"
)


def _compound(word: str) -> int | None:
    """ "neunzehnhundertvierundachtzig" is 1984. None for a word that is no number above 99."""
    if "hundert" not in word and "tausend" not in word:
        return None
    found = _WHOLE.match(word)
    if found is None:
        return None
    thousands = _GLUED.get(found["thousands"] or "", 1) if "tausend" in word else 0
    hundreds = _GLUED.get(found["hundreds"] or "", 1) if found["hundred"] else 0
    return 1000 * thousands + 100 * hundreds + _GLUED.get(found["rest"] or "", 0)


_ORDINALS = {
    stem + ending: number
    for number, stem in enumerate(
        words("""
            erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte dreizehnte vierzehnte fünfzehnte
            sechzehnte siebzehnte achtzehnte neunzehnte
        """),
        start=1,
    )
    for ending in ("", "r", "n", "s")
} | {
    f"{word}ste{ending}": value
    for word, value in _SMALL.items()
    if 20 <= value <= 31 and " " not in word
    for ending in ("", "r", "n", "s")
}

_DOUBLED = phrases("\n".join(f"doppel{word} = double {value}" for word, value in {**_UNITS, "null": 0}.items()))

_PHRASES = _DOUBLED | phrases("""
    und = and
    oder = or
    aber = but
    mit = with
    durch, bei = by
    vom, von = of
    in, im = in
    der, die, das, den, dem, des = the
    ein, eine, einen, einem, einer = a
    mein, meine, meinen, meinem, meiner, unser, unsere, unserer = my
    ihr, ihre, ihren, ihrem, ihrer, dein, deine, deinen, deiner = your
    ich = i
    ist, sind, lautet, heißt, wäre, war = is
    das ist, das wäre, es ist = it is
    ja, jawohl, jo, genau ja = yes
    nein, nee, ne = no
    okay, ok, gut, in ordnung, alles klar, prima = ok
    natürlich, klar, sicher, gerne, gern, selbstverständlich = sure
    danke, vielen dank, dankeschön, danke schön = thanks
    bitte, bitte schön, bitteschön = please
    hallo, guten tag, guten morgen, guten abend, grüß gott, moin, servus, grüezi = hello
    also, so = so
    dann, danach, gefolgt von, und dann = then
    genau, richtig, stimmt, korrekt = correct
    wie ist, was ist, wie lautet, wie lauten, welche ist = what is
    was = what
    wer = who
    wann = when
    wo = where
    wie = how
    können sie, könnten sie, würden sie, können sie mir, könnten sie mir, geben sie mir, nennen sie mir = could you give me
    sagen sie mir = could you give me
    ich brauche, ich bräuchte = i need
    ich möchte, ich will, ich würde gern = i want
    ich habe = i have
    äh, ähm, öh, hm, tja, moment, einen moment, momentchen, warten sie, warte, mal sehen, augenblick, sekunde, eine sekunde =
    einen augenblick =
    entschuldigung, verzeihung, pardon, sorry, quatsch, falsch, beziehungsweise, ich meine, vielmehr = sorry
    nein moment, nein warten sie, nein warte = no wait

    name, vorname, vor- und nachname, vollständiger name, mädchenname = name
    nachname, familienname, zuname = surname
    ich heiße, ich heisse, mein name ist, hier ist, hier spricht, am apparat ist, mein name lautet = my name is
    heißt mit nachnamen, namens, genannt = name is
    auf den namen, auf den namen von, unter dem namen, im namen von = in the name of
    im auftrag von = on behalf of
    der inhaber ist, kontoinhaber ist, karteninhaber ist, kontoinhaber, kontoinhaberin, karteninhaber = account holder is
    wie heißen sie, mit wem spreche ich, wer ist am apparat, wie ist ihr name = what is your name
    wie schreibt man das, wie schreibt man, können sie buchstabieren = how do you spell
    ich buchstabiere, buchstabiert, das schreibt man, man schreibt es = spelled
    herr, herrn, frau, fräulein = mr
    doktor, dr = doctor
    professor, prof = professor
    mein mann, meinem mann, meinen mann, ehemann = my husband
    meine frau, meiner frau, ehefrau = my wife
    sohn = son
    tochter = daughter
    vater = father
    mutter = mother
    bruder = brother
    schwester = sister
    freund, freundin = friend

    karte, kreditkarte, ec-karte, ec karte, girokarte, debitkarte, bankkarte = card
    kartennummer, kreditkartennummer, karten nummer, nummer der karte, nummer meiner karte = card number
    nummer meiner kreditkarte = card number
    endet auf, endend auf, mit der endung, die endet auf, endziffern = card ending in
    letzten vier ziffern, letzte vier ziffern, letzten vier stellen = last 4 digits
    prüfziffer, prüfnummer, sicherheitscode, kartenprüfnummer, sicherheitsnummer = security code
    auf der rückseite, hinten drauf = on the back
    gültig bis, läuft ab, ablaufdatum, verfallsdatum, abgelaufen, gültigkeitsdatum = expiry
    nummer, nummern = number
    ziffer = digit
    ziffern, stellen = digits
    buchstabe = letter
    buchstaben = letters
    telefon, telefonnummer, rufnummer, tel, rückrufnummer = phone number
    handy, handynummer, mobilnummer, mobil = mobile number
    festnetz, festnetznummer = landline
    vorwahl = area code
    rufen sie mich an unter, rufen sie mich zurück unter, erreichen sie mich unter, erreichbar unter = call me
    zu erreichen unter, ruf mich an unter = call me
    konto, girokonto, sparkonto, bankkonto = account
    kontonummer, konto nummer = account number
    bankleitzahl, blz = sort code
    geburtsdatum, geburtstag = date of birth
    geboren, geb = born
    geboren am, ich bin geboren am = born on
    wann sind sie geboren, wann wurden sie geboren = when were you born
    alter = age
    jahre alt = years old
    postleitzahl, plz = postcode
    reisepass, pass, reisepassnummer, passnummer = passport number
    führerschein, führerscheinnummer = driver's licence number
    personalausweis, personalausweisnummer, ausweisnummer, ausweis, steuernummer, steuer-id = identity number
    steueridentifikationsnummer = identity number
    sozialversicherungsnummer, rentenversicherungsnummer, ahv-nummer, ahv nummer, identifikationsnummer = identity number
    steuer id = identity number
    patientennummer, fallnummer, krankenakte, patientenakte = medical record number
    mitgliedsnummer, kundennummer, versichertennummer, krankenversicherungsnummer, krankenkassennummer = member number
    mitgliedernummer = member number
    versicherungsnummer, policennummer, vertragsnummer, police, versicherungsschein = policy number
    kennzeichen, autokennzeichen, nummernschild = license plate
    pin, geheimzahl, pin-nummer, geheimnummer = pin
    code = code
    bestätigungscode, einmalcode, prüfcode, tan, sms-code, verifizierungscode, sicherheitscode per sms = verification code
    passwort, kennwort = password
    benutzername, nutzername, benutzerkennung, anmeldename = username
    mail, e-mail, email, mailadresse, e-mail-adresse, emailadresse, email adresse, mail adresse = email
    webseite, website, internetseite, homepage = website
    bestellung, bestellnummer, auftragsnummer, auftrag = order number
    buchung, buchungsnummer, reservierung = booking
    bestätigung = confirmation
    rechnung, rechnungsnummer = invoice
    referenz, referenznummer, vorgangsnummer, aktenzeichen = reference number
    flug, flugnummer = flight
    gate, flugsteig = gate
    formular = form
    version = version
    modell = model
    zimmer = room
    taste, drücken sie, wählen sie = option
    durchwahl = extension
    gleis = platform

    adresse, anschrift, wohnanschrift = address
    straße, strasse, str = street
    platz = square
    weg, gasse, allee = lane
    stock, stockwerk, etage = floor
    wohnung = apartment
    hausnummer = house number
    ich wohne in, wohne in, wir wohnen in, wohnhaft in, ich lebe in, ich komme aus = i live in
    wohnt in = lives in
    geboren in = born in
    umgezogen nach, gezogen nach = moved to
    ich rufe aus, rufe an aus = calling from
    stadt = city
    deutschland = germany
    österreich = austria
    schweiz = switzerland

    at, ät, klammeraffe, et zeichen = at
    punkt = dot
    unterstrich = underscore
    bindestrich, minus, strich = dash
    schrägstrich = slash
    plus = plus
    doppel, doppelt, doppelte, zweimal, zwei mal, zweimal die = double
    dreimal, drei mal, dreifach = triple
    groß, großgeschrieben = capital

    januar, jänner, feber = january
    februar = february
    märz, maerz = march
    april = april
    mai = may
    juni, juno = june
    juli = july
    august = august
    september = september
    oktober = october
    november = november
    dezember = december

    euro, euros, franken, cent, eurocent = euros
    prozent = percent
    minute, minuten = minutes
    stunde, stunden, uhr = hours
    tag, tage, tagen = days
    woche, wochen = weeks
    monat, monate, monaten = months
    jahr, jahre, jahren = years
    sekunden = seconds
    mal = times
    personen, leute = people
    nacht, nächte, nächten = nights
    paket, pakete = packages
    kilometer, kilometern = kilometers
    kilo, kilos = kilos
    grad = degrees
    million, millionen = million
    karten, tickets = tickets
    nachricht = message
    gigabyte, megabit = gigs
""")

_COMMON = """
    rufe melde arbeite wollte bräuchte schreibe hätte suche warte spreche versuche bekam erhielt
    ab abend abends aber abgebucht abgeholt alle allem allen aller allerdings alles als alt am an andere anderen anderer
    anderes anders anfang angebot angekommen angerufen anruf anrufe anrufen anschluss ansprechpartner arbeit auch auf aufgrund
    aus außer außerdem bald bank beide beiden beim bekommen bekomme bereits besser beste bezahlen bezahlt bestellt bestellen
    bestätigen betrag bevor bin bis bisher bisschen bist brauchen braucht da dabei dafür dagegen daher damals damit daran
    darauf darf darum darüber dass davon dazu denn deshalb dich dienstag diese diesem diesen dieser dieses dir doch donnerstag
    dort dringend du eben egal eher eigentlich einfach einige einmal einverstanden ende endlich entweder er erhalten erledigt
    erreichen erreicht erst es etwa etwas euch euer fahren falls fast fehler fertig filiale firma frage fragen frei freitag
    freue früh früher funktioniert für ganz ganze gab geben gebühr gegangen gegen gegeben gehen geht gehört gekommen gekündigt
    gekauft geld geliefert gemacht genug gerade gesagt geschickt gesehen gestern gesundheit getan gewesen gewinn gibt gleich
    glaube groß große großen guten gute guter haben habe hab hallöchen halt halb hast hat hatte hatten haus hätte heute heißen
    hier hilfe helfen hinter hin hoch hotel ihm ihn ihnen ihr immer info information interesse interessiert internet
    irgendwann irgendwas jede jeden jeder jedes jemand jetzt kam kann kannst kaufen kein keine keinen keiner klappt klein
    kleine kommen kommt komme konnte könnte können kosten kostet krank kunde kundin kündigen kündigung kurz kurze lang lange
    langsam lassen laut leben leider letzte letzten letzter lieber lieferung liegt link los machen macht mache man manchmal
    mehr mein mensch menschen merken mich mir mittag mitte mittwoch mittags möchte möchten möglich montag morgen morgens mögen
    müde muss müssen musste nach nachmittag nächste nächsten nächster natürlich neben neu neue neuen neuer nicht nichts nie
    niemand noch nochmal normal nur ob obwohl offen öffnet oft ohne paar person praxis preis problem probleme produkt
    pünktlich raus rechts reden rein rest ruhig rufe rufen runter sache sachen sage sagen sagt samstag schlecht schließt
    schnell schön schon schreiben schrieb schritt schuld schulden sehe sehen sehr sei seid sein seine seinem seinen seiner
    seit selbst selber senden service sich sie soll sollen sollte sommer sonst sonntag spät später spreche sprechen spricht
    statt stehen steht strom störung suche suchen tarif team technik techniker termin tun tut über überhaupt überweisung
    überwiesen um umsonst unbedingt ungefähr uns unter unterlagen unterwegs verbinden verbindung vergessen vergleich verloren
    verstanden verstehe versichert versicherung vertrag viel viele vielen vielleicht vier vom von vor voraus vorbei vorhin
    vorne während wann wäre waren warten wartet warum weder weg wegen weil weiß weit weiter weitere welche welchen welcher
    welches wem wen wenig weniger wenn werde werden wessen wieder wieso will willkommen wir wird wirklich wissen wohin wohl
    wohne wohnen wollen wollte worden wurde wurden würde zahlen zahlung zeit ziemlich zu zufrieden zuletzt zum zur zurück
    zusammen zuständig zwar zwischen arzt ärztin termine rezept leitung anlage gas wasser erreichbar geöffnet abgeschlossen
    unterschrieben geändert ändern ihnen genommen nehmen nehme bleibt schauen schaue zuhause daheim
"""

GERMAN = Vocabulary(
    small=_SMALL,
    soft={"ein": 1, "eine": 1},
    hundreds={"hundert": 100},
    multiplies=True,
    thousands=frozenset({"tausend"}),
    conjunctions=frozenset({"und"}),
    ordinals=_ORDINALS,
    phrases=_PHRASES,
    common=frozenset(words(_COMMON)),
    letters=dict(
        zip(
            words("be ce zeh de eff ef ge ha jott jot ka ell em emm en enn pe ku kuh er err es ess te vau we weh"),
            words("b c c d f f g h j j k l m m n n p q q r r s s t v w w"),
            strict=True,
        )
    )
    | {"ix": "x", "ypsilon": "y", "zett": "z", "zet": "z", "eszett": "s"},
    soft_letters=frozenset(words("ha em en er es we de da te je")),
    like=("wie", "wie in", "für"),
    particles=frozenset(words("von van der den zu de")),
    compound=_compound,
    dotted=True,
)
