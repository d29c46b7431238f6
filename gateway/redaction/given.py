"""Given names and surnames that are everyday words too: after words that announce a person they are names."""

from __future__ import annotations

from gateway.redaction.english import AMBIGUOUS_NAMES, SURNAMES_TOO
from gateway.redaction.tables import words

GIVEN = AMBIGUOUS_NAMES | words(
    """
    abs ace adele alba alf angel archer archie ash asia aspen aubrey august aurora austin autumn barry basil bay beau bex
    birdie bliss blossom blue bo bonnie boris brandy briar brook brooke brooks buck bud buddy bunny buster candy carmen cash
    cassidy cedar celeste chance chandler charity chastity chelsea cherish cherry chester china christmas cicely clark clay
    clementine cliff clover cody colt constance cooper coral corey crystal curt daisy dakota dale dallas dean delta denver
    desire destiny diamond dixie dolly don dot drake duncan dusty earl early ebony eddy eden ember esme essence fanny fern
    fisher fleur flick flint flora florence flynn forest forrest foster fox gabby gail gale garnet gemma genesis genie ginny
    glen gloria glory gold griffin guy harley harper haven hawk heath heather heaven henna holly honey honor honour hunter
    india indigo irish ivory jackie jasmine jasper jay jean jed jerry jet jewel jordan joss journey judge july june juniper
    justice kay kelly kenya kerry kiki kim kit kitty lacey lance lane lark laurel lavender leaf lee legacy lennon lex
    liberty lilac link linus logan lolly london lorry lotus lucky luna lyric mac mace magnolia major maple marigold marina
    marine marlin marshal martin matt maverick max mercedes mercy merry mickey midge mike milan mint mo mona monday moon
    morning moss myrtle myth nan ned nell neville noble norm nova oak oakley ocean olly opal ophelia oscar otter pansy paris
    parker patience patty peach pebble peg penny percy perry petal pete petunia philip phoenix pip piper pippa polly poppy
    port porter posy precious presley prudence queen quill rain randy raven ray red reef reggie remy rex ricky river robbie
    robin roman romeo ron rory rosemary ross rover rowan roy royal russ rusty rye saffron sage saint sally sam sapphire
    savannah sawyer scarlet scot sequoia serenity shad shade shannon shay shelby shelly sherry shirley sid sienna sierra
    silver sky skye slim smith sonny spike spring stan star stella sterling sterne stew storm stormy stu sugar sunday sunny
    sunshine sylvan tab tad taffy tally tanner tansy taylor teal temple terra terry tess thistle thorn tilly tim timber tina
    toby tom topaz trace trey trinity trip trixie troy tucker tuesday tulip twain ty tyler ulysses vale valentine vera
    verity vernon vi vic viola violet viv walker wally webb wendy west whisper wilder will willow winnie winter wolf wren
    xander york zion
    """
)
"""Lower case."""

_RARELY = words(
    """
    angel april art august autumn bill black blue bob bud buddy candy cash chance chase cherry china cook dash desire don
    dusty early early's field fox gold grant gray green grey guy hill honey hope journey judge july june lake lance lane
    leaf link long lorry lucky major maple march marine mark may mint misty monday morning pace page pat port precious price
    rain red rich rob rock royal rusty saint short silver skip spring star storm sue sugar summer sunday sunny tab temple
    trace trip tuesday van wade walker west white will winter wood woods young
    bliss cherish desire essence freedom glory justice legacy liberty mercy ocean patience pleasure river sky trinity
    """
)
CLEARLY = GIVEN - _RARELY
"""Those that a greeting alone makes a name ("hello mark" does too, "okay mark" may be an order)."""

SURNAMES = (
    SURNAMES_TOO
    | GIVEN
    | words(
        """
    abbot archer baker banker barber bell berry bird bishop black blue bond boot bowman brewer bridges brook brown buck bull
    bush butcher butler buyer cannon carpenter carter cash chambers chancellor chandler clay clerk cliff cloud coats coin
    cole cooper cope cotton crane cross crow cutter dance day deer draper drinkwater driver dyer eagle early farmer farrow
    feather ferry field finch fish fisher flowers ford forest forester fowler fox freeman friend frost gale garden gardener
    gardner gates glover gold golden goldsmith goodman grave graves green greenwood grey hall hammer hand hands hare harper
    hart haven hawk hay head heart hedge herb hood hope hopper house hunt hunter ironside jewel joiner judge keen kettle key
    keys king lake lamb lamp lark lawless leaf light lilly lion little locke lord lot love lowe major manning march marsh
    marshall mason may mayor meadows mercer miles mill miller mills moody moore moss mount nail new newman north nurse oak
    oaks pack page painter palmer parish park parker parson parsons peacock pearl pepper perch perkins pike piper pitt place
    plant player plumb plumber pond pool pope porter potter pound powers pratt price priest prince prior queen quick rain
    ram ranger raven rayner read redhead reed reeves rice rich rider ring rivers robins rock rose rush saddler sadler sailor
    salmon salt savage sawyer sayer sea seal shaw shepherd sheriff short silver singer skinner slater slaughter small smart
    smith snow south spark sparks spear speed spence spice spring squire starling steel stern steward stewart stock storm
    stout street strong summers swallow swan swift tanner taylor temple thatcher thorn tiller tinker towers town trees
    trotter tucker turner tyler usher vane vine vineyard wade wagner walker wall ward warden warner waterman waters watts
    weaver webb weeks wells west wheat wheeler white whitehead wild wilder winter winters wise wolf wood woodman woodward
    worth wright yard yates young youngman
    """
    )
)
"""Words that follow a given name as a surname."""
