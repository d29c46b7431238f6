"""The area codes of the North American Numbering Plan (country code 1): where each was given out, and its time zones.

An area code that lies in several time zones has all of them. The codes and places are those of NANPA (nanpa.com) as the
``phonenumbers`` library carries them in its version 9.0.43; the boundaries of the zones are those of 49 CFR part 71, and a code
that may reach over one has both zones.
Territories of the United States stand under ``us/``, because its federal law holds there (47 U.S.C. 153(58)).
"""

from __future__ import annotations

from collections.abc import Mapping

_ROWS: tuple[tuple[str, str, str], ...] = (
    ("us/ak", "America/Adak America/Anchorage", "907"),
    ("us/al", "America/Chicago", "205 251 256 334 659 938"),
    ("us/ar", "America/Chicago", "327 479 501 870"),
    ("us/as", "Pacific/Pago_Pago", "684"),
    ("us/az", "America/Denver America/Phoenix", "928"),
    ("us/az", "America/Phoenix", "480 520 602 623"),
    (
        "us/ca",
        "America/Los_Angeles",
        "209 213 279 310 323 341 350 369 408 415 424 442 510 530 559 562 619 626 628 650 657 661 669 707 714 738 747 760 805"
        " 818 820 831 840 858 909 916 925 949 951",
    ),
    ("us/co", "America/Denver", "303 719 720 748 970 983"),
    ("us/ct", "America/New_York", "203 475 860 959"),
    ("us/dc", "America/New_York", "202 771"),
    ("us/de", "America/New_York", "302"),
    ("us/fl", "America/Chicago America/New_York", "448 850"),
    ("us/fl", "America/New_York", "239 305 321 324 352 386 407 561 645 656 689 727 728 754 772 786 813 863 904 941 954"),
    ("us/ga", "America/New_York", "229 404 470 478 678 706 762 770 912 943"),
    ("us/gu", "Pacific/Guam", "671"),
    ("us/hi", "Pacific/Honolulu", "808"),
    ("us/ia", "America/Chicago", "319 515 563 641 712"),
    ("us/id", "America/Boise America/Los_Angeles", "208 986"),
    ("us/il", "America/Chicago", "217 224 309 312 331 447 464 618 630 708 730 773 779 815 847 872"),
    ("us/in", "America/Chicago America/New_York", "219 574 812 930"),
    ("us/in", "America/New_York", "260 317 463 765"),
    ("us/ks", "America/Chicago", "316 913"),
    ("us/ks", "America/Chicago America/Denver", "620 785"),
    ("us/ky", "America/Chicago America/New_York", "270 364 606"),
    ("us/ky", "America/New_York", "502 859"),
    ("us/la", "America/Chicago", "225 318 337 504 985"),
    ("us/ma", "America/New_York", "339 351 413 508 617 774 781 857 978"),
    ("us/md", "America/New_York", "227 240 301 410 443 667"),
    ("us/me", "America/New_York", "207"),
    ("us/mi", "America/Chicago America/New_York", "906"),
    ("us/mi", "America/New_York", "231 248 269 313 517 586 616 734 810 947 989"),
    ("us/mn", "America/Chicago", "218 320 507 612 651 763 952"),
    ("us/mo", "America/Chicago", "235 314 417 557 573 636 660 816 975"),
    ("us/mp", "Pacific/Saipan", "670"),
    ("us/ms", "America/Chicago", "228 601 662 769"),
    ("us/mt", "America/Denver", "406"),
    ("us/nc", "America/New_York", "252 336 472 704 743 828 910 919 980 984"),
    ("us/nd", "America/Chicago America/Denver", "701"),
    ("us/ne", "America/Chicago", "402 531"),
    ("us/ne", "America/Chicago America/Denver", "308"),
    ("us/nh", "America/New_York", "603"),
    ("us/nj", "America/New_York", "201 551 609 640 732 848 856 862 908 973"),
    ("us/nm", "America/Denver", "505 575"),
    ("us/nv", "America/Denver America/Los_Angeles", "775"),
    ("us/nv", "America/Los_Angeles", "702 725"),
    ("us/ny", "America/New_York", "212 315 329 332 347 363 516 518 585 607 631 646 680 716 718 838 845 914 917 929 934"),
    ("us/oh", "America/New_York", "216 220 234 283 326 330 380 419 440 513 567 614 740 937"),
    ("us/ok", "America/Chicago", "405 539 572 580 918"),
    ("us/or", "America/Boise America/Los_Angeles", "458 541"),
    ("us/or", "America/Los_Angeles", "503 971"),
    ("us/pa", "America/New_York", "215 223 267 272 412 445 484 570 582 610 717 724 814 835 878"),
    ("us/pr", "America/Puerto_Rico", "787 939"),
    ("us/ri", "America/New_York", "401"),
    ("us/sc", "America/New_York", "803 821 839 843 854 864"),
    ("us/sd", "America/Chicago America/Denver", "605"),
    ("us/tn", "America/Chicago", "615 629 731 901"),
    ("us/tn", "America/Chicago America/New_York", "423 931"),
    ("us/tn", "America/New_York", "865"),
    (
        "us/tx",
        "America/Chicago",
        "210 214 254 281 325 346 361 409 430 469 512 682 713 726 737 806 817 830 832 903 936 940 945 956 972 979",
    ),
    ("us/tx", "America/Chicago America/Denver", "432"),
    ("us/tx", "America/Denver", "915"),
    ("us/ut", "America/Denver", "385 435 801"),
    ("us/va", "America/New_York", "276 434 540 571 686 703 757 804 826 948"),
    ("us/vi", "America/St_Thomas", "340"),
    ("us/vt", "America/New_York", "802"),
    ("us/wa", "America/Los_Angeles", "206 253 360 425 509 564"),
    ("us/wi", "America/Chicago", "262 274 353 414 534 608 715 920"),
    ("us/wv", "America/New_York", "304 681"),
    ("us/wy", "America/Denver", "307"),
    ("ca/ab", "America/Edmonton", "368 403 587 780 825"),
    ("ca/bc", "America/Edmonton America/Fort_Nelson America/Vancouver", "236 250 257 672 778"),
    ("ca/bc", "America/Vancouver", "604"),
    ("ca/mb", "America/Winnipeg", "204 431 584"),
    ("ca/nb", "America/Halifax", "428 506"),
    ("ca/nl", "America/Halifax America/St_Johns", "709 879"),
    ("ca/ns", "America/Halifax", "782 902"),
    ("ca/nt", "America/Edmonton America/Toronto America/Vancouver America/Whitehorse America/Winnipeg", "867"),
    ("ca/on", "America/Toronto", "226 249 289 343 365 382 416 437 519 548 613 647 683 705 742 753 905 942"),
    ("ca/on", "America/Toronto America/Winnipeg", "807"),
    ("ca/qc", "America/Halifax America/Toronto", "367 418 581"),
    ("ca/qc", "America/Toronto", "263 273 354 438 450 468 514 579 819 873"),
    ("ca/sk", "America/Edmonton America/Regina", "306 474 639"),
    ("ag", "America/Antigua", "268"),
    ("ai", "America/Anguilla", "264"),
    ("bb", "America/Barbados", "246"),
    ("bm", "Atlantic/Bermuda", "441"),
    ("bs", "America/Nassau", "242"),
    ("dm", "America/Dominica", "767"),
    ("do", "America/Santo_Domingo", "809 829 849"),
    ("gd", "America/Grenada", "473"),
    ("jm", "America/Jamaica", "658 876"),
    ("kn", "America/St_Kitts", "869"),
    ("ky", "America/Cayman", "345"),
    ("lc", "America/St_Lucia", "758"),
    ("ms", "America/Montserrat", "664"),
    ("sx", "America/Lower_Princes", "721"),
    ("tc", "America/Grand_Turk", "649"),
    ("tt", "America/Port_of_Spain", "868"),
    ("vc", "America/St_Vincent", "784"),
    ("vg", "America/Tortola", "284"),
)
"""Place, its time zones, its area codes."""

AREA_CODES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    code: (place, tuple(zones.split())) for place, zones, codes in _ROWS for code in codes.split()
}
"""Area code to its place (``us/tx``, ``ca/on``, ``jm``) and its time zones."""


def zones_of(place: str) -> tuple[str, ...]:
    """Every time zone in ``place``: of a state, or of a country with all its states. Empty where no area code lies there."""
    return tuple(
        sorted({zone for at, zones in AREA_CODES.values() if at == place or at.startswith(f"{place}/") for zone in zones})
    )
