"""On which day a week begins, where its reader lives (Unicode CLDR 47, `weekData`: `firstDay`)."""

import re
from typing import Final

MONDAY: Final = 0
# A region that is not here begins its weeks on Monday, as ISO 8601 does. Days are numbered from Monday, which is 0.
_REGIONS: Final = {
    4: "MV",
    5: "AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY",
    6: "AG AO AS BD BR BS BT BW BZ CA CO CV DM DO ET GT GU HK HN ID IL IN IS JM JP KE KH KR LA MH MM MO MT MX MZ NI NP "
    "PA PE PH PK PR PT PY SA SG ST SV TH TL TT TW UM US VE VI WS YE ZA ZW",
}
FIRST_WEEKDAYS: Final = {region: day for day, regions in _REGIONS.items() for region in regions.split()}
# The region in which most readers of a language live, where its weeks do not begin on Monday (`likelySubtags`).
_LANGUAGES: Final = {
    "AF": "ps",
    "BD": "bn",
    "BR": "pt",
    "EG": "ar",
    "ET": "aa am om ti",
    "ID": "id in jv jw su",
    "IL": "he iw",
    "IN": "as gu hi kn ks ml mr or pa sa ta te",
    "IR": "fa",
    "IS": "is",
    "JP": "ja",
    "KE": "ki",
    "KH": "km",
    "KR": "ko",
    "LA": "lo",
    "MM": "my",
    "MT": "mt",
    "MV": "dv",
    "NP": "ne",
    "PE": "qu",
    "PH": "fil tl",
    "PK": "sd ur",
    "PY": "gn",
    "TH": "th",
    "US": "en",
    "WS": "sm",
    "ZA": "af nr ss st tn ts ve xh zu",
    "ZW": "nd sn",
}
_LIKELY_REGIONS: Final = {
    language: region for region, languages in _LANGUAGES.items() for language in languages.split()
}
_RANGE: Final = re.compile(r"([a-z]{2,8})((?:-[a-z0-9]{1,8})*)(?:;q=([01](?:\.\d{0,3})?))?", re.ASCII)


def find_first_weekday(accept_language: str) -> int:
    """Return the first day of the week for who prefers these languages (RFC 9110 §12.5.4); 0 is Monday.

    It is that of the region of the most preferred language, or of the region that the language suggests.
    """
    preferred, best = "", 0.0
    for part in accept_language.lower().replace(" ", "").split(","):
        found = _RANGE.fullmatch(part)
        weight = 0.0 if found is None else float(found[3] or 1)
        if weight > best:
            preferred, best = part.partition(";")[0], weight
    language, *subtags = preferred.split("-")
    region = next((tag.upper() for tag in subtags if len(tag) == 2), _LIKELY_REGIONS.get(language, ""))
    return FIRST_WEEKDAYS.get(region, MONDAY)
