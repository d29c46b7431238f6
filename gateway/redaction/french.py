"""French as it is spoken on the telephone, in France, Belgium, Switzerland and Canada: a table, in the words of our rules."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.redaction.vocabulary import Vocabulary, listed, phrases, words

_UNITS = listed("un|une deux trois quatre cinq six sept huit neuf", 1)
_TEENS = listed("dix onze douze treize quatorze quinze seize dix_sept dix_huit dix_neuf", 10)
_TENS = {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "septante": 70, "huitante": 80}
_TENS |= {"octante": 80, "nonante": 90, "quatre vingt": 80, "quatre vingts": 80}


def _small() -> Iterator[tuple[str, int]]:
    """ "soixante-dix" and "quatre-vingt-dix" count on to nineteen; "et" may stand before one and eleven."""
    yield "zéro", 0
    yield from (way for way in _UNITS.items() if way[0] not in ("un", "une"))
    yield from _TEENS.items()
    yield from _TENS.items()
    for ten, value in _TENS.items():
        on = {**_UNITS, **_TEENS} if ten in ("soixante", "quatre vingt") else _UNITS
        for word, more in on.items():
            yield f"{ten} {word}", value + more
            if word in ("un", "une", "onze"):
                yield f"{ten} et {word}", value + more


_PHRASES = phrases("""
    et = and
    ou = or
    mais = but
    avec = with
    par = by
    de, du, des, d' = of
    le, la, les, l' = the
    un, une = a
    mon, ma, mes, notre = my
    votre, vos, ton, ta, tes = your
    je, j' = i
    dans, en = in
    est, c'est, ce serait, c'était = is
    oui, ouais = yes
    non = no
    d'accord, ok, okay, bon, très bien, bien = ok
    bien sûr, volontiers = sure
    merci, merci beaucoup = thanks
    s'il vous plaît, s'il te plaît, svp = please
    bonjour, bonsoir, allô, salut = hello
    alors, donc = so
    puis, ensuite, après, et puis, suivi de = then
    voilà, c'est ça, exact, c'est correct, correct = correct
    quel est, quelle est, quels sont, quelles sont = what is
    quoi = what
    qui = who
    quand = when
    où = where
    comment = how
    pouvez-vous, pourriez-vous, pouvez-vous me donner, pourriez-vous me donner, donnez-moi, puis-je avoir = could you give me
    dites-moi = could you give me
    il me faut, j'ai besoin de = i need
    je veux, je voudrais, j'aimerais = i want
    j'ai = i have
    il a, elle a, qui a = has
    euh, heu, hum, ben, un instant, un moment, une seconde, attendez, attends, voyons, laissez-moi voir, une petite seconde =
    pardon, désolé, désolée, excusez-moi, je veux dire, enfin = sorry
    non attendez, non pardon = no wait

    nom, nom complet, nom et prénom, prénom, nom de jeune fille = name
    nom de famille = surname
    je m'appelle, mon nom est, mon nom c'est, ici c'est, je me présente, madame monsieur je suis = my name is
    s'appelle, appelé, appelée, nommé = name is
    au nom de = in the name of
    de la part de = on behalf of
    le titulaire est, titulaire du compte, titulaire de la carte = account holder is
    je suis = this is
    comment vous appelez-vous, comment vous vous appelez, à qui ai-je l'honneur, qui est à l'appareil = what is your name
    comment ça s'écrit, pouvez-vous épeler = how do you spell
    ça s'écrit, s'écrit, j'épelle, je vous l'épelle, épelé = spelled
    monsieur, madame, mademoiselle, mme, mlle = mr
    docteur, dr = doctor
    mari, époux = husband
    femme, épouse = wife
    fils = son
    fille = daughter
    père = father
    mère = mother
    frère = brother
    sœur, soeur = sister
    ami, amie = friend

    carte, carte bancaire, carte de crédit, carte bleue, carte visa, cb = card
    numéro de carte, numéro de ma carte, numéro de votre carte, numéro de la carte = card number
    numéro de carte bancaire, numéro de carte de crédit, numéro de ma carte bancaire, numéro de ma carte de crédit = card number
    se terminant par, qui se termine par, qui finit par, finissant par = ending in
    quatre derniers chiffres = last 4 digits
    code de sécurité, cryptogramme, cryptogramme visuel = security code
    au dos, derrière = on the back
    expire, expiration, date d'expiration, valable jusqu'au, valable jusqu'en, date de validité, échéance = expiry
    numéro, numéros = number
    chiffre = digit
    chiffres = digits
    lettre = letter
    lettres = letters
    téléphone, numéro de téléphone, tél = phone number
    portable, mobile, numéro de portable, numéro de mobile = mobile number
    ligne fixe, téléphone fixe = landline
    indicatif = area code
    appelez-moi au, rappelez-moi au, me joindre au, me rappeler au, joignable au = call me
    compte, compte bancaire, compte courant, compte d'épargne = account
    numéro de compte, numéro de mon compte = account number
    date de naissance = date of birth
    né, née = born
    je suis né, je suis née = born
    né le, née le, je suis né le, je suis née le = born on
    quand êtes-vous né = when were you born
    âge = age
    code postal = postcode
    passeport, numéro de passeport = passport number
    permis de conduire, numéro de permis, numéro de permis de conduire = driver's licence number
    carte d'identité, numéro de carte d'identité, pièce d'identité = identity number
    sécurité sociale, numéro de sécurité sociale, numéro de sécu, carte vitale, numéro national = identity number
    numéro d'identification = identity number
    numéro avs, numéro fiscal = identity number
    dossier médical, numéro de dossier médical, numéro de patient = medical record number
    numéro d'adhérent, numéro d'adhérente, numéro de membre, numéro de client, numéro d'assuré = member number
    police, numéro de police, numéro de contrat = policy number
    plaque, plaque d'immatriculation, immatriculation = license plate
    code pin, code confidentiel, code secret = pin
    code = code
    code de vérification, code à usage unique, code reçu par sms = verification code
    mot de passe = password
    identifiant, nom d'utilisateur = username
    mail, email, e-mail, courriel, adresse mail, adresse email, adresse e-mail, adresse électronique = email
    site, site web, site internet = website
    commande, numéro de commande = order number
    réservation, numéro de réservation = booking
    confirmation = confirmation
    facture, numéro de facture = invoice
    référence, numéro de référence = reference number
    numéro de dossier = case number
    vol, numéro de vol = flight
    porte, porte d'embarquement = gate
    formulaire = form
    version = version
    modèle = model
    chambre = room
    touche, tapez, option = option
    poste = extension

    adresse = address
    rue = street
    avenue, av = avenue
    boulevard, bd = boulevard
    place = place
    chemin = path
    allée, impasse, quai, route, cours, ruelle = lane
    étage = floor
    appartement, appart = apartment
    bâtiment = building
    j'habite à, j'habite au, nous habitons à, j'habite en, je vis à, je réside à = i live in
    habite à = lives in
    j'ai déménagé à = moved to
    j'appelle de, je vous appelle de = calling from
    ville = city
    ville de = city of
    france = france
    belgique = belgium
    suisse = switzerland
    allemagne = germany
    espagne = spain
    états-unis = united states

    arobase, arrobase, arobas, at = at
    point = dot
    tiret du bas, tiret bas, underscore, sous-tiret = underscore
    tiret, trait d'union, tiret du six = dash
    barre oblique, slash = slash
    plus = plus
    double, deux fois = double
    triple, trois fois = triple
    majuscule, majuscules = capital

    janvier = january
    février = february
    mars = march
    avril = april
    mai = may
    juin = june
    juillet = july
    août = august
    septembre = september
    octobre = october
    novembre = november
    décembre = december

    euro, euros, dollars, centimes, francs = euros
    pour cent = percent
    minute, minutes = minutes
    heure, heures = hours
    jour, jours = days
    semaine, semaines = weeks
    mois = months
    an, ans, année, années = years
    ans et demi = years old
    seconde, secondes = seconds
    fois = times
    personne, personnes = people
    nuit, nuits = nights
    colis = packages
    kilomètre, kilomètres = kilometers
    kilo, kilos = kilos
    degré, degrés = degrees
    million, millions = million
    billet, billets = tickets
    message = message
    gigas, méga, mégas = gigs
""")

_COMMON = """
    téléphone appelais appelle écris voulais souhaite souhaitais travaille habite viens cherche voudrait rappelle
    à a ai aie ait abord absolument achat acheter afin aide aider ailleurs ainsi aller allez allons alors annuler appareil
    appel appeler appelle appelé appeliez arrive arrivé as assez attend attendre au aucun aucune aujourd'hui aujourd hui
    auparavant auquel aussi autre autres aux avait avant avez avions avoir avons ayant banque bas beaucoup besoin bientôt
    bonne ça cas ce ceci cela celle celles celui cent certain certaine ces cet cette ceux chaque cher chère chez chose choses
    ci client cliente combien comme commencer compris content contente concernant connecter contre côté coûte dame debout déjà
    demain demande demander depuis dernier dernière derniers deux devant devoir dimanche dire dis dit dites dois doit donc
    donne donner dont du durant eau elle elles encore enchanté enchantée entre envoi envoyé envoyer erreur es essaie est-ce et
    êtes était étaient étais être eu eux facile faire fait faites faut fin font forfait gens grand grande gros habitude haut
    hier hôtel hors ici il ils internet jamais jeudi jusque jusqu' qu' n' m' t' s' c' juste là là-bas laquelle lequel leur
    leurs ligne livraison livré loin longtemps lors lorsque lui lundi madame magasin maintenant mais maison mal
    malheureusement mardi matin me médecin même mercredi merveilleux mettre mieux midi minuit moi moins moment montant ne ni
    nous nouveau nouvelle numéro offre on oublié ont ouvert ouverture parce parfait parfaite parle parler part partie pas
    passe passé payer paiement payé pendant perdu personne petit petite peu peut peux peuvent plaît possible pour pourquoi
    pouvoir premier première près prendre présent prix prochain prochaine problème produit pu puisque quand que quel quelle
    quelque quelques question rapidement rappeler recevoir reçu rendez-vous rendez vous rien sa sais sait samedi sans sauf
    savez savoir se service ses seul seule seulement si soir soit sommes son sont sous souvent suis sur surtout tard tel
    téléphoner tellement tôt toujours tout toute toutes tous très trop tu un va vais valable vendredi venir vers veut veux
    veuillez vient vite vois voir voit vos voudrais vous vrai vraiment y prélevé prélèvement solde virement garantie assurance
    contrat technicien conseiller conseillère agent société entreprise gaz électricité connexion réseau colère fatigué
    fatiguée intéressé intéressée prêt prête
"""

FRENCH = Vocabulary(
    small=dict(_small()),
    soft={"un": 1, "une": 1},
    hundreds={"cent": 100, "cents": 100},
    multiplies=True,
    thousands=frozenset({"mille", "mil"}),
    conjunctions=frozenset(),
    ordinals={"premier": 1, "première": 1},
    phrases=_PHRASES,
    common=frozenset(words(_COMMON)),
    letters=dict(
        zip(
            words("bé cé dé effe gé ache hache ji ka elle emme enne pé ku cu erre esse té vé ixe zède"),
            words("b c d f g h h j k l m n p q q r s t v x z"),
            strict=True,
        )
    ),
    soft_letters=frozenset(words("a y elle bé cé dé gé pé té vé")),
    like=("comme", "comme dans", "de"),
    particles=frozenset(words("de du des la le d'")),
    elided=frozenset(words("l d j n c s m t qu jusqu")),
)
