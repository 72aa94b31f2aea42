"""Names of fictional municipalities, in kanji and kana, each once."""

from __future__ import annotations

from typing import NamedTuple

_FIRST = (
    "霞かすみ 翠みどり 鳴なる 葦あし 蓮はす 楠くす 暁あけ 瑞みず 茜あかね 碧あお 颯はや 雫しずく 蛍ほたる 椿つばき "
    "楓かえで 菫すみれ 蕗ふき 鷺さぎ 雁かり 鶉うずら 鯨くじら 貝かい 珊さん 琥こ 瑠る 燈とう 霧きり 虹にじ 朧おぼろ "
    "凪なぎ 宵よい 暮くれ 昴すばる 銀ぎん 橙だいだい 藍あい"
)
_SECOND = (
    "花はな 月つき 風かぜ 羽は 音ね 波なみ 雪ゆき 星ほし 露つゆ 竹たけ 松まつ 梅うめ 桐きり 杉すぎ 苔こけ 笹ささ "
    "鈴すず 笛ふえ 糸いと 布ぬの"
)
_THIRD = (
    "原はら 野の 沢さわ 谷たに 川かわ 浜はま 浦うら 坂さか 丘おか 里さと 島しま 崎さき 瀬せ 津つ 田た 森もり 峰みね "
    "橋はし 泉いずみ 宮みや"
)
FIRST, SECOND, THIRD = (tuple((one[0], one[1:]) for one in text.split()) for text in (_FIRST, _SECOND, _THIRD))
MOST = len(FIRST) * len(SECOND) * len(THIRD)
_STRIDE = 5231  # without a divisor in common with MOST: neighbours look different and none comes twice
_KINDS = (("市", "し"), ("町", "ちょう"))


class Name(NamedTuple):
    text: str
    kana: str


def name(number: int, town: bool) -> Name:
    """The name of municipality `number`, from 1 to MOST."""
    if not 1 <= number <= MOST:
        raise ValueError(f"there are {MOST} names, and none for municipality {number}")
    rest, third = divmod(number * _STRIDE % MOST, len(THIRD))
    first, second = divmod(rest, len(SECOND))
    parts = (FIRST[first], SECOND[second], THIRD[third], _KINDS[town])
    return Name("".join(part[0] for part in parts), "".join(part[1] for part in parts))
