"""Spanish as it is spoken on the telephone, in Spain and in America: a table, in the words of our rules."""

from __future__ import annotations

from gateway.redaction.vocabulary import Vocabulary, listed, phrases, words

_UNITS = listed("uno dos tres cuatro cinco seis siete ocho nueve", 1)
_TENS = listed("treinta cuarenta cincuenta sesenta setenta ochenta noventa", 3)
_JOINED = listed(
    "veintiuno|veintiún|veintiuna veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve", 21
)

_SMALL = (
    {"cero": 0}
    | _UNITS
    | listed(
        "diez once doce trece catorce quince dieciséis|diez_y_seis diecisiete|diez_y_siete dieciocho|diez_y_ocho "
        "diecinueve|diez_y_nueve veinte",
        10,
    )
    | _JOINED
    | {ten: 10 * value for ten, value in _TENS.items()}
    | {
        f"{ten} y {unit}": 10 * value + digit
        for ten, value in _TENS.items()
        for unit, digit in {**_UNITS, "un": 1, "una": 1}.items()
    }
    | {f"veinte y {unit}": 20 + digit for unit, digit in _UNITS.items()}
)

_HUNDREDS = {"cien": 100, "ciento": 100} | {
    word + ending: 100 * value
    for word, value in listed("doscient trescient cuatrocient quinient seiscient setecient ochocient novecient", 2).items()
    for ending in ("os", "as")
}

_PHRASES = phrases("""
    y, e = and
    o, u = or
    pero = but
    con = with
    por = by
    de, del = of
    en = in
    el, la, los, las = the
    un, una = a
    mi, mis, nuestra, nuestro = my
    su, sus, tu, tus, vuestra, vuestro = your
    yo = i
    es, son, era, sería = is
    sí, si, ajá = yes
    no = no
    vale, bueno, bien, listo, ok, okay, de acuerdo, está bien = ok
    claro, claro que sí, por supuesto, desde luego = sure
    gracias, muchas gracias = thanks
    por favor = please
    hola, buenos días, buenas tardes, buenas noches, buenas = hello
    entonces, pues entonces = so
    luego, después, seguido de = then
    exacto, correcto, así es, eso es = correct
    cuál es, cuáles son, cuál sería = what is
    qué = what
    quién = who
    cuándo = when
    dónde = where
    cómo = how
    puede, podría, puedes, podrías, me puede, me podría, me da, me dice, deme, dígame, dame, dime = could you give me
    necesito = i need
    quiero, quisiera = i want
    tengo = i have
    tiene = has
    tengo que = need
    eh, em, este, pues, mmm, a ver, un momento, un segundo, un momentito, espere, espera, déjeme ver, déjame ver =
    a ver un momento =
    perdón, perdone, disculpe, digo, mejor dicho, quiero decir = sorry
    no perdón, no espere, no espera = no wait

    nombre, nombre completo, nombre y apellidos, nombre de pila = name
    apellido, apellidos = surname
    me llamo, mi nombre es, soy el señor, soy la señora, le habla, les habla, habla con, le saluda = my name is
    se llama, llamada = name is
    a nombre de, al nombre de = in the name of
    de parte de = on behalf of
    el titular es, la titular es, titular de la cuenta, titular de la tarjeta = account holder is
    soy = this is
    cómo se llama, con quién hablo = what is your name
    cómo se escribe = how do you spell
    se escribe, se deletrea, deletreo, se lo deletreo = spelled
    señor, señora, señorita, sr, sra, don, doña = mr
    doctor, doctora, dr, dra = doctor
    marido, esposo = husband
    mujer, esposa = wife
    hijo = son
    hija = daughter
    padre, papá = father
    madre, mamá = mother
    hermano = brother
    hermana = sister
    amigo, amiga = friend

    tarjeta, tarjeta de crédito, tarjeta de débito = card
    número de tarjeta, número de la tarjeta, número de mi tarjeta, número de su tarjeta = card number
    número de tarjeta de crédito, número de mi tarjeta de crédito, número de su tarjeta de crédito = card number
    terminada en, que termina en, acabada en, que acaba en = ending in
    últimos cuatro, últimos cuatro dígitos, últimas cuatro cifras = last 4 digits
    código de seguridad, clave de seguridad = security code
    de atrás, en el reverso, por detrás, al dorso = on the back
    caduca, caducidad, vence, vencimiento, fecha de caducidad, fecha de vencimiento, válida hasta, expira = expiry
    fecha de expiración = expiry
    número = number
    números = numbers
    dígito = digit
    dígitos, cifras = digits
    letra = letter
    letras = letters
    teléfono, número de teléfono, tel = phone number
    móvil, celular, número de móvil, número de celular = mobile number
    teléfono fijo, fijo = landline
    prefijo = area code
    llámeme al, llámame al, llámenme al, me puede llamar al, puede llamarme al, marque el = call me
    cuenta, cuenta bancaria, cuenta corriente, cuenta de ahorro = account
    número de cuenta, número de mi cuenta, número de su cuenta = account number
    fecha de nacimiento = date of birth
    nací, nacido, nacida, nació = born
    nací el, nacido el, nacida el, nació el = born on
    cuándo nació = when were you born
    edad = age
    años de edad = years old
    código postal, distrito postal, cp = postcode
    pasaporte, número de pasaporte = passport number
    licencia de conducir, carnet de conducir, carné de conducir, permiso de conducir = driver's licence number
    licencia de manejo = driver's licence number
    dni, nie, nif, cédula, curp, rfc, documento de identidad, número de identidad, número de identificación = identity number
    seguridad social, número de seguridad social, número de la seguridad social = identity number
    seguro social, número de seguro social, número del seguro social = social security number
    historia clínica, número de historia clínica, número de expediente, expediente médico = medical record number
    número de socio, número de socia, número de afiliado, número de afiliada, número de miembro = member number
    número de cliente = member number
    póliza, número de póliza = policy number
    matrícula, placa, placas = license plate
    pin = pin
    código = code
    código de verificación, clave de verificación, código de un solo uso, código que me llegó = verification code
    contraseña, clave, clave de acceso = password
    usuario, nombre de usuario = username
    correo, correo electrónico, email, mail, dirección de correo, dirección de correo electrónico, dirección de email = email
    página web, sitio web, página = website
    número de contacto = phone number
    pedido, número de pedido, encargo = order number
    reserva, número de reserva, reservación = booking
    confirmación, localizador = confirmation
    factura, número de factura = invoice
    referencia, número de referencia = reference number
    vuelo, número de vuelo = flight
    puerta, puerta de embarque = gate
    formulario = form
    versión = version
    modelo = model
    habitación = room
    opción = option
    extensión = extension

    dirección, domicilio = address
    calle, c = street
    avenida, avda, av = avenue
    plaza = plaza
    paseo = walk
    camino = path
    carretera = road
    ronda, travesía, callejón, calzada, bulevar = lane
    piso, planta = floor
    departamento, apartamento, depto = apartment
    vivo en, resido en, estamos en = i live in
    vive en = lives in
    nací en, nacido en, nacida en = born in
    me mudé a, nos mudamos a = moved to
    llamo desde, le llamo desde, les llamo desde = calling from
    ciudad = city
    ciudad de = city of
    españa = spain
    méxico = mexico
    alemania = germany
    francia = france
    estados unidos = united states

    arroba = at
    punto = dot
    guion bajo, guión bajo, raya baja, subguión, subguion = underscore
    guion, guión, guion medio, guión medio = dash
    barra, diagonal = slash
    más = plus
    doble, dos veces = double
    triple, tres veces = triple
    mayúscula, mayúsculas = capital

    enero = january
    febrero = february
    marzo = march
    abril = april
    mayo = may
    junio = june
    julio = july
    agosto = august
    septiembre, setiembre = september
    octubre = october
    noviembre = november
    diciembre = december

    euro, euros, peso, pesos, dólar, dólares, soles, céntimos, centavos, bolívares = dollars
    por ciento = percent
    minuto, minutos = minutes
    hora, horas = hours
    día, días = days
    semana, semanas = weeks
    mes, meses = months
    año, años = years
    segundo, segundos = seconds
    vez, veces = times
    persona, personas = people
    noche, noches = nights
    paquete, paquetes = packages
    kilómetro, kilómetros = kilometers
    kilo, kilos = kilos
    grado, grados = degrees
    millón, millones = million
    entrada, entradas = tickets
    mensaje = message
    gigas, megas = gigs
""")

_MONTHS = words("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre")
_PHRASES |= {f"{month} {of}": _PHRASES[month] for month in _MONTHS for of in ("de", "del")}

_COMMON = """
    llamo llamaba llamando escribo quería querría hablo hablando vengo trabajo pregunto pido pagué hablé sigo esperando marcando
    a al ante antes ahí ahora algo alguien algún alguna algunas alguno algunos allá allí anoche apenas aquel aquella aquello
    aquí así aún aunque ayer cada casa casi cerca cierto como cosa cosas cual cualquier cuando cuanto cuánto cuánta cuántos da
    dan dar decir dejar del demás desde deseo dice dicen dijo día dije dio donde durante ella ellas ello ellos encima enviar
    enviado enviaron error esa esas ese eso esos esta está están estaba estar estas este esto estos estoy estuve falta favor
    fin forma fue fuera fueron ha había hablar hablo hace hacer hacia haga hago han hasta hay he hecho hemos hice hizo hoy
    igual incluso ir iba junto jamás le les lejos llamar llamado llame llega llegar llegó llegado llevo lo lugar lunes martes
    miércoles jueves viernes sábado domingo mal malo mañana manera mañanas más me media medio mejor menos mientras mío mía
    misma mismo momento momentito mucha muchas mucho muchos muy nada nadie ni ningún ninguna ninguno nos nosotros nosotras
    nueva nuevo nunca olvidé olvidado otra otras otro otros pagar pago pagado para parece parte pasa pasado pasar pasó pedir
    pequeño perdí perdido poco pocos poder porque pregunta primero problema problemas pronto próximo próxima pude puedo pueda
    puesto que quedar quiere quieren queja quizá quizás recibí recibido recibir saber sabe sale salió se sé sea según seguro
    ser servicio siempre siendo siento sino sin sobre solo sólo somos también tampoco tan tanto tarde temprano tener tengo
    tenía tenemos tienen todavía toda todas todo todos trabajo tras tuve tuvo última último usted ustedes va vamos van ver
    vender verdad vi viene vino volver voy ya cambiar cambio cliente clienta cita cobro cobraron cobrado comprar compra compré
    cancelar cancelado ayuda ayudar ayudarme banco cajero dinero saldo hotel médico oficina tienda empresa compañía agente
    soporte técnico internet línea luz gas agua recibo tarifa plan oferta producto envío entrega entregado llegada correcta
    incorrecta cerrado abierto abren cierran atención español inglés cuesta cuestan precio total gratis primera segunda
    tercera mediodía medianoche minutito anterior siguiente registrado registrada confirmar confirmo interesado interesada
    molesto molesta contenta contento encantado encantada perfecta perfecto genial estupendo
"""

SPANISH = Vocabulary(
    small=_SMALL,
    soft={"un": 1, "una": 1},
    hundreds=_HUNDREDS,
    multiplies=False,
    thousands=frozenset({"mil"}),
    conjunctions=frozenset(),
    ordinals=listed("primero|primer|primera segundo_de tercero|tercer|tercera", 1),
    phrases=_PHRASES,
    common=frozenset(words(_COMMON)),
    letters=dict(
        zip(
            words("be ce de efe ge hache jota ka cu ele eme ene eñe pe erre ese te uve equis zeta"),
            words("b c d f g h j k q l m n n p r s t v x z"),
            strict=True,
        )
    ),
    soft_letters=frozenset(words("a e i o u y de te ese ce be ge pe")),
    like=("de", "como", "como en"),
    particles=frozenset(words("de del la las los y")),
)
