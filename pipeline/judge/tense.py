"""What a Japanese clause says of its topic: done, denied, planned, ended, wished for, or only named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pipeline.judge.dates import Mention, first_day, mentions
from pipeline.judge.polarity import denies, elliptic, limited


class Mode(StrEnum):
    DOES = "does"
    DENIES = "denies"
    PLANS = "plans"
    ENDED = "ended"
    INTENDS = "intends"  # an aim without a date: neither yes nor no
    ASKS = "asks"  # question, wish, opinion, hearsay
    LIMITS = "limits"  # a denial or an end of a part, a case or an application period
    LABEL = "label"  # no predicate


REFUSALS = (Mode.DENIES, Mode.PLANS, Mode.ENDED)


@dataclass(frozen=True)
class Said:
    """mode of the clause; trial: on trial; day: the date that decides it (start, end), where one is named;
    kept: a plan whose announced day has come; over: its application period or round is over, so it took place;
    open: a plan that is only being thought about (検討します)."""

    mode: Mode
    trial: bool = False
    day: date | None = None
    kept: bool = False
    over: bool = False
    open: bool = False


_CLAUSE = re.compile(
    r"(?<=[すんたるいだ]が、)|(?<=けれど、)|(?<=けれども、)|(?<=ものの、)|(?<=ので、)(?<!もので、)|(?<=ため、)|(?<=一方、)|(?<=一方で、)|(?<=終了し、)|(?<=廃止し、)|(?<=休止し、)|(?<=終了となり、)|(?<=終え、)|(?<=おらず、)|(?<=であり、)|(?<=こととし、)|(?<=予定で、)"
    r"|(?<=やめ、)|(?<=打ち切り、)|(?<=閉じ、)|(?<=終え、)|(?<=見送り、)|(?<=ことから、)|(?<=なく、)|(?<=とどまり、)|(?<=[たる]ものの、)|(?<=しつつも、)"
)

_ASKS = re.compile(
    r"(?:か[?。」)]*|[?])$|(?:[るう]ように(?:して(?:ください|下さい|ほしい|欲しい)|お願いし(?:ます|たい))|ほしい|欲しい|もらいたい|いただきたい|頂きたい|べき(?:だ|です|である|では)?|望(?:む|みます|まれ(?:る|ます|ています))"
    r"|(?:して|みて|っては|んでは|しては|ては)(?:は)?(?:どう|いかが)[^。]{0,8}|(?:して|にして|って|けて|めて)は[。」]*$"
    r"|(?:希望|要望|期待|ようお願い)し(?:ます|たい|ている|ています)|求める(?:声|意見)(?:が|も|は)?[^。]{0,12}|とい(?:う|った)(?:ご)?(?:意見|要望|声|提案|質問)[^。]{0,16}"
    r"|との(?:ご)?(?:意見|要望|声|提案|質問)[^。]{0,16}|(?:ると|えば|れば|ば)(?:とても|大変|もっと)?(?:、[^、。]{0,20}(?:は|も))?(?:便利|助か|うれし|嬉し|ありがた|よい|良い|いい)[^。]{0,12}|と言われ(?:まし)?た|(?:と聞(?:く|いて(?:い|お)(?:る|ます)|きます?)|そうです|とのことです)|(?:と(?:は)?思(?:う|います|いました)|助かります|ありがたい(?:です)?|便利だと思います|うらやましい(?:です)?)|(?:うれしく|ありがたく|残念に|不思議に|心強く)思(?:い|う)[^、。]{0,6}|があればと思います|ものと(?:承知|理解|聞き及)[^、。]{0,10})[。」)]*$"
)
_WARNS = re.compile(
    r"(?:ないで(?:ください|下さい)|ないよう(?:に)?(?:、)?(?:ご?注意|お願い|してください|しましょう)|ご?注意(?:ください|下さい|を))[^。]{0,8}[。」)]*$"
)
_DEFINES = re.compile(
    r"(?:仕掛け|仕組み|しくみ|サービス|プログラム|ソフト|方法|形|言葉|もの|制度|技術|働き方)のこと(?:です|をいう)?[。」)]*$|(?:とは|というのは)(?:、)?[^。]{4,}(?:こと(?:です|である|を(?:いい|言い|指し|さし)ます)|(?<=の)こと|を(?:指|さ)します|をいいます|と(?:いい|言い|呼び)ます|の総称です|[^。]{2,}です)[。」)]*$"
)
# What is drawn of another day: 目標:…、 20年後の市役所では…
_DREAMS = re.compile(
    r"^(?:[【\[(]?(?:目標|目指す姿|めざす姿|将来像|理想|サンプル|見本|記入例)[】\])]?[::]?)(?!値|額|は|を|に|の|と)|\d+年後の|将来の姿"
)
# What only announces a topic, or names a deed without saying that it is done: RPAのご案内です。 案内サイトの構築
_TITLES = re.compile(
    r"の(?:構築|整備|開発|検討|推進|拡充|充実|強化|見直し|試行|更新|調査|研究)(?:\([^)]*\))?[。]?$"
    r"|(?:結果|概要|内容|様子|状況)(?:を|について)(?:お知らせ|公表|報告|ご?紹介)(?:し|いたし)ます[。」)]*$|"
    r"(?:の|に関する)(?:ご)?(?:案内|紹介|説明|お知らせ|ページ|情報|コーナー|特集)(?:です|になります|でした)[。」)]*$"
)
# A technique explained: it is there, whoever uses it.
_EXPLAINS = re.compile(
    r"^[^、。]{1,20}(?:は|とは)、?[^。]{4,}(?:技術|手法|概念|用語|略称|略語|総称)(?:です|である)[。」)]*$"
)
# What many or other places do (RPAを導入する自治体が増えています) tells nothing of this one.
_TREND = re.compile(
    r"(?:自治体|市町村|市区町村|地方公共団体|全国(?:的)?|各地|世の中|社会)(?!.*(?:本市|当市|本町|当町|本村|当村|本区|当区))"
    r"[^。]*(?:増え|増加|多く(?:な|見)|進んで(?:い|き)|広が|普及|拡大し|相次)[^、。]{0,10}[。」)]*$"
    r"|[るたいう](?:市|町|村|市町|市区?町村|自治体|団体)(?:が|も)(?:[^、。]{0,6})?(?:多|増|少な(?:く|い)|あり|ある|見られ|出て)[^、。]{0,10}[。」)]*$"
)
# A condition on whoever reads it, and what was only looked into: 導入している場合は, 導入しているかどうか.
_DEED = r"(?:導入|実施|設置|整備|策定|運用|利用|活用|採用)"
_WHETHER = re.compile(
    rf"{_DEED}(?:して(?:い|お)る|した)か(?:どうか|否か)"
    r"|(?:導入|実施|設置|整備|策定)して(?:い|お)る(?:場合|方|者|企業|事業者|事業所|団体|法人|店舗)(?:は|で|が|に|の|等)"
    r"|(?:に関する|についての|に向けた|の)(?:調査|検討|研究|協議|意見交換|視察)を(?:行|実施|始め|開始|進め)"
    rf"|{_DEED}(?:して|されて)いた(?:時期|頃|時代|こと)(?:が|も)あ"
)
# A tender says that something is to be bought, not that it is there.
_TENDERS = re.compile(
    r"^(?!.*(?:電子(?:入札|調達|契約)|(?:導入|稼働|開始|整備|構築|採用|調達|購入)(?:し|いたし)(?:まし)?た))[^。]*(?:業務|委託|構築|整備|調達|購入|賃貸借|リース|事業者|請負)[^、。]{0,12}"
    r"(?:プロポーザル|入札|見積(?:り)?合わせ|仕様書|企画提案)[^。]*[。」)]*$"
)
# What was counted among many, and what is asked of an applicant.
_COUNTED = re.compile(
    r"と(?:回答|答え)(?:し)?た(?:自治体|市町村|団体|人|方|企業|事業者|事業所|世帯|割合)"
    r"|(?:自治体|市区?町村|団体|企業|事業者|事業所|世帯|人|方)の(?:割合|比率)|(?:先進|優良|他市|活用)事例(?:を|の)(?:紹介|説明)"
    r"|^(?:応募|参加|申請|受験|入札)?(?:資格|要件|条件)(?:要件)?[:：]"
)
# What is to be done by a date, in the form of a plan: 令和7年度までに10業務で使えるようにする。
_DUE = re.compile(r"(?:\d年度?|\d月|末|中)までに[^。]*(?:[うくぐつぬぶむ]|(?<!い)る|(?<![まで])す)[。」)]*$")
# A name is being looked for, or found; the thing itself is still to come.
_NAMES_IT = re.compile(
    r"(?:愛称|名称|名前|ロゴ|キャラクター)(?:を|の|が|に|は)[^。]*(?:募集|応募|選考|投票|決定し|決まり|決まった)"
)
_NOW = re.compile(r"(?:本日|今日|きょう|先月|今月|昨年|昨年度|今年度|本年度)(?:から|より)")
_SPECULATES = re.compile(r"(?:でしょう|だろう|かも(?:しれ|知れ)(?:ない|ません))[。」)]*$")
_TAKES_NOTE = re.compile(
    r"(?:承りました|承ります|うかがいました|参考(?:に|と)(?:させて|し|いたし)[^。]{0,12})[。」)]*$"
)
_INSTRUCTS = re.compile(
    r"(?<![あで])[いきしちにびみり]ませんか[?。」)]*$|(?:から|で|へ|に|より)(?:、)?(?:お願いし(?:ます|ています)|お願いいたします)[。」)]*$"
)
_PLAN = re.compile(
    r"(?:予定(?!通り|どおり|表|日|者|価格)|検討|(?:調査|研究|検証|試算|選定|精査)中|見込み|見通し|準備中|準備を(?:進め|して)|準備して|構想(?:中|して|段階)|協議(?:中|を(?:進め|行))|調整(?:中|を(?:進め|行))"
    r"|計画(?:中|で(?:す|ご|ある|あり)|して(?:い|お)|が(?:あ|ご)|とし)|考えて(?:い|お|まい)|研究(?:を)?(?:して|し|進め)|調査(?:・)?研究|に向けて|に向け[^。]{0,6}|要望して(?:い|お)|要求(?:中|して)|近日|まもなく|持ち越|先送り"
    r"|(?:考え|方針|つもり|意向|段取り|運び)(?:です|で(?:い|お|あ)|とのこと)|[るすた](?:計画|見通し|見込み|予定)$|見込(?:む|みます|んで)"
    r"|判断(?:し|いた|する)|結論を出|議論(?:し|いた)|話し合って(?:い|ま)|整理中|課題と(?:し|さ)|結論は|要否|是非)"
    r"[^、。]{0,16}[、。」)]*$"
)
# What happens when something else is ready: 新庁舎の開庁と同時に採り入れます.
_AWAITS = re.compile(
    r"(?:開庁|開館|開校|完成|竣工|移転|引っ?越し?|建て替え|建替え?|入れ替え|切り替え|更新|改修|統合|庁舎)"
    r"(?:後|時|の?際|と同時|に合わせ|にあわせ|を機|を待|とともに|のとき|したら|次第)[^。]*(?:ます|る|く|す|う)[。」)]*$"
)
_CAME_OF_IT = re.compile(r"[をがに][^。]*(?:ました|した|った|んだ|いだ)[。」)]*$")
_DELIBERATES = re.compile(
    r"(?:検証|試算|選定|精査)中|判断|結論|議論|話し合|整理|課題|要否|是非|検討|考えて|研究|協議|要望|要求|構想|調査"
)
_INTENT = re.compile(
    r"(?:目指(?:し|す)|めざ(?:し|す)|努め|心掛け|図(?:り(?:ます|、)|る|って(?:い|ま))|(?:推進|促進|展開|強化|拡大|充実|実現|整備|構築|導入|活用|改善|検証|支援)(?:し(?:ます|ていき|てまいり|ていく)|する|を図)"
    r"|(?:進め|広げ|高め|増やし|取り入れ|始め|つく(?:り|って)|取り組)(?:ます|みます|んで(?:いき|まいり)|て(?:いき|まいり)|ていく|る$|む$)|ていきます|てまいります|て参ります|ていく(?:必要|こと)?|必要が(?:ある|あります)"
    r"|(?:し|り|き|い)たい(?:です|と(?:思|考)え?)?|求められ(?:ます|ている|ています)|期待(?:され|し))[^、。]{0,10}[、。」)]*$"
)
_END_WORD = (
    r"(?:終了|廃止|休止|停止|閉鎖|打ち?切り?|中止|(?<![いきしちにびみりえけせてねべめれげ])終え(?!た(?:もの|文書|件|割合|人|方|者|職員))|終わ(?:り|っ)|取りやめ|閉館|配信停止|サービス終了)"
    r"(?:し(?:まし|てい|てお|た|ます|、)|いた(?:し|だ)|と(?:な|し|い)|に(?:な|い)|され|まし|て(?:い|お)|た|です|、|。|$)"
)
_END = re.compile(
    r"(?:をもって|限りで|[年月日末]で|末に|年度で)[^。]{0,8}(?:やめ(?:まし|て|た|、)|閉じ(?:まし|た|て)|終わ(?:り|っ)|姿を消|幕を閉じ|お別れ|引退)|"
    r"(?:長らく|長い間|長年|永らく|これまで(?:の)?)(?:の)?ご(?:利用|愛顧|購読)(?:を)?(?:いただき|くださ|有|あり)|"
    + _END_WORD
    + r"[^、。]{0,12}[、。」)]*$|(?:を|は|も)(?:取り)?やめ(?:まし|た|て|、)"
    r"|(?:取り外|撤去|返却|消去|削除|撤退|退任|閉鎖|回収)(?:し(?!てください)|され|いた)[^、。]{0,10}[、。」)]*$"
    r"|(?:を|が|は|も)[^、。]{0,6}閉じ(?:まし|た|て)|(?:ページ|アカウント|チャンネル|サイト)は[^。]{0,20}閉じ(?:まし|た)|(?:現金|紙|元|もと|従来)[^、。]{0,10}に戻(?:し|り)(?:まし|た)|使えなくな(?:りまし|っ)た|(?:利用|使用)できなくな(?:りまし|っ)た"
)
# What is finished here is the doing of it: 端末の配備を終えました。
_COMPLETED = re.compile(
    r"(?:整備|配備|配布|設置|導入|移行|切り替え|切替え?|入れ替え|接続|電子化|改修|更新|決裁|入力|登録|点検|調査|設定|統合)"
    r"(?:を|が|は|も)(?:すべて|全て)?(?:終|完了)"
)
# The end of paper is a beginning.
_OLD_WAY = re.compile(
    r"(?:紙|印刷|刷|押印|印鑑|はんこ|ハンコ|印|朱肉|郵送|記入|手書き|書き写|持ち回り|現金|固定席|席の割り?当て|決まった席|一人に一つの?(?:机|席)[^。]{0,8})[^、。]{0,16}(?:を|は|も)(?:[^、。]{0,16}(?:から|で))?(?:原則(?:として)?)?(?:すべて)?(?:取り)?(?:やめ|廃止|なくし|片付|片づ)"
)
_ENDED_ROUND = re.compile(
    r"(?:受付|受け付け|募集|申込(?:み)?|申し込み|申請|応募|投票|工事|会議|期間|回答|販売|入札|放送|全\d+回で、|先月|先週|無事(?:に)?|今年度の|本年度の|昨年度の|第\d+回)(?:[^、。]{0,10})?(?:は|を|が)?$"
)
_FORMER = re.compile(
    r"(?:以前|かつて|昔|当初)(?:は|の)?|年(?:度)?(?:に|には|の(?:間|頃))[^。]{2,40}ていました|まで(?:は)?(?:[^。]{0,30})?(?:ていました|ておりました|でした)"
)
_PAST_STATE = re.compile(r"(?:ていました|ておりました|(?:でき|られ|え|なれ)ました)[^。]{0,3}[、。」)]*$")
# The end of the earlier one says that there is a later one.
_FORMERLY = re.compile(r"^(?:なお、)?(?:以前|従来|これまで|かつて|先代|前身)の|^旧[「『一-龠ァ-ヴ]")
_SUCCEEDED = re.compile(
    r"(?:後継の?[^、。]{0,12}(?:移行|引き継|提供|開始|ご利用)|(?:に|へ)(?:替|代|変)わ(?:り|っ)|に改め(?:て|まし)|(?:\d年度?|\d月|翌年度?)からは|(?:役目|役割|後|業務|仕事|事務|所掌|機能)(?:を|は)[^。]{0,40}(?:引き継|継い)|(?:に|へ)(?:衣替え|生まれ変わ|移り|移し)|(?:に|へ)(?:移行|統合|引き継|切り替え|リニューアル|一本化)|代わりに|(?:翌|同)?(?:\d+)?月(?:\d+日)?からは|翌月から|以後は新|その後を|移して(?:い|お)|新(?:しい|たな)[^、。]{1,16}(?:を|で|に|から|へ))"
)
# A successor of the same kind, and a return to paper and counters.
_ANOTHER = re.compile(r"「|新(?:しい|たな|たに)|後継|公式|アプリ|サイト|システム|サービス|クラウド|引き継")
_BACK = re.compile(
    r"現金|紙(?:の|で|に)|窓口(?:のみ|だけ|で)|電話(?:のみ|だけ|で)|対面|郵送|県(?:の|が)|国(?:の|が)|民間|店舗"
)
_NO_SUCCESSOR = re.compile(r"(?:後継|代わり|代替)[^、。]{0,16}(?:ありません|ない|なし|予定して(?:い|お))")
_START = re.compile(
    r"(?:改め|変更|延期|延ば|ずれ|始め|始ま|開始|スタート|運用|稼働|開設|導入|でき(?:る|ます)|利用|受付|受け付け|実施|提供|配信|切り替え|なり(?:ます)|行(?:い|う)|採用|公開|発行|対応|設計|新設|整備|設置|配置|発足|判断|策定|公表|です$|です。|とな|にな|見込)"
)
_STARTED = re.compile(r"(?:まし|てい|てお|し)た|て(?:い|お)(?:ます|り|る)|中(?:です|$|。)")
_FROM = re.compile(
    r"^(?:\([^)]*\))?(?:正午|午[前後]\d*時?(?:\d+分)?)?(?:[一-龠]{0,6}分)?(?:から|より|に|、|以降|開始|スタート|~|〜|の予定|予定|を目途|をめど|頃|ごろ|中に|末|初旬|中旬|下旬|は|です|とな|にな|の(?:工事|更新|改修|改正|入れ?替え|開庁|移転|供用|公開|運用|開始|導入|議会)|を(?:見込|予定|目標|めど|目途))"
)
_DEADLINE = re.compile(r"(?:期限|締め?切り?|〆切|納期|期日)(?:日)?(?:は|:)")
_EVENT = re.compile(r"(?:式|会|発表|説明会|締結|開催|開始|公開)(?:\([^)]*\))?[。]?$")
_UNTIL = re.compile(r"(?:年度?|月|日)(?:末)?まで(?:\((?:期間満了|終了|満了)[^)]*\)?)?[。]?$")
_TRIAL = re.compile(
    r"試行|試し(?:に|て|た|ま)|試み|試験(?:的|運用|導入)|実証|実験|トライアル|テスト(?:利用|運用|導入)|お試し|モデル(?:事業|導入|校)"
)
_EXTENDS = re.compile(r"(?:拡大|拡充|追加|増や|増設|広げ|さらに|更に|順次|新たに[^。]{0,12}も|対象を)")
_BEGINS = re.compile(r"始め|始ま|開始|スタート")
_PREDICATE = re.compile(
    r"(?:(?:です|ます|ました|ません|ください|である|ている|ていた|ておる|できる|られる|れる|せる|した|った|いた|んだ|する|なる|ある|いる|おり|られ|れば|とおり|可能|可|不可|無料|対応|必要|不要|利用可|使用可|実施|導入|済み|(?<![決経救返共弁])済|中|に着手|[をへ](?:締結|開始|策定|設置|開設|公表|公開|提供|配信|配布|配備|整備|稼働|運用|発足|新設|受賞|採用|達成|移行|受ける|始める|行う))[。、」)]*$)|(?<=[ぁ-ん])(?<!仕組み)(?<!しくみ)(?<!もの)[。]$"
    r"|(?:ます|ました|ません|です|(?:でき|られ|して|され)(?![たる](?!め)[一-龠ァ-ヴ]))"
)

# A bracket at the end that says nothing of when.
_ASIDE = re.compile(r"\((?![^()]*(?:予定|検討|見込|中止|終了|廃止|未))[^()]{1,60}\)(?=[。、]?$)")
_CROSS = re.compile(r"^(?:[×✕✗xー―-]|不可|なし|無し|無|未)[。]?$")
# The municipality has no part in it.
_NO_PART = re.compile(
    r"(?:関わり|かかわり|関係)(?:は|が)?(?:あり|ござい)ません|(?:含まれて|収められて|収録されて|掲載されて|載って)(?:い|お)(?:ません|りません|ない)|"
    r"(?:市|町|村|区|本市|当市)(?:は|も|が)、?(?:[^、。]{1,12}も)?(?:加わ|関わ|かかわ|関与し|参加し|携わ)(?:って|て)(?:い|お)(?:ません|りません|ない)"
)
# Clauses that speak of the topic and say nothing of what is done here.
_ELSEWHERE = (
    _NO_PART,
    _WARNS,
    _TAKES_NOTE,
    _DEFINES,
    _EXPLAINS,
    _TREND,
    _WHETHER,
    _TENDERS,
    _COUNTED,
    _SPECULATES,
    _NAMES_IT,
)


def clauses(sentence: str) -> list[str]:
    """The parts of a folded sentence with an ending of their own: split after が、 ので、 ため、 and the like."""
    return [one for one in _CLAUSE.split(sentence) if one]


def succeeds(text: str) -> bool:
    """Whether a folded text tells that something takes another's place."""
    return bool(_SUCCEEDED.search(text)) and not _NO_SUCCESSOR.search(text)


def said(clause: str, *, as_of: date, written: date | None = None, after: str = "") -> Said:
    """What a folded clause says as of a day. written: when its page was; after: the sentence that follows it."""
    clause = _ASIDE.sub("", clause) or clause
    trial = bool(_TRIAL.search(clause))
    if (plain := _without_tense(clause)) is not None:
        return Said(plain, trial)
    if not _PREDICATE.search(clause) and not _END.search(clause) and not _plans(clause) and not denies(clause):
        return _named(clause, tuple(mentions(clause, near=written)), as_of, trial)
    if any(one.search(clause) for one in _ELSEWHERE):
        return Said(Mode.LIMITS, trial)
    if denies(clause):
        return _denied(clause, trial)
    if _ends(clause):
        return _ended(clause, as_of, written, after)
    return _goes_on(clause, as_of, written, trial)


def _named(clause: str, days: tuple[Mention, ...], as_of: date, trial: bool) -> Said:
    """What has no predicate: from a day to come, on one (12月10日 締結式), until one that has passed, or a label."""
    if future := _announced(clause, days, as_of):
        return Said(Mode.PLANS, trial, future)
    known = [one for one in days if one.day and one.last]
    if known and all(one.day and one.day > as_of for one in known) and _EVENT.search(clause):
        return Said(Mode.INTENDS, trial)
    if known and known[-1].last and known[-1].last <= as_of and _UNTIL.search(clause):
        return Said(Mode.ENDED, trial, known[-1].last)
    return Said(Mode.LABEL, trial)


def _without_tense(clause: str) -> Mode | None:
    """The mode of a clause that asks, titles or crosses out, whatever its predicate."""
    if _CROSS.match(clause):
        return Mode.DENIES
    if _ASKS.search(clause) and not _INSTRUCTS.search(clause):
        return Mode.ASKS
    return Mode.LABEL if _TITLES.search(clause) else None


def _goes_on(clause: str, as_of: date, written: date | None, trial: bool) -> Said:
    """Of a clause that neither denies nor ends: planned, aimed at, or done."""
    days = tuple(mentions(clause, near=written))
    if _plans(clause):
        return _planned(clause, days, as_of, trial)
    if _AWAITS.search(clause) and not any(one.last and one.last <= as_of for one in days):
        return Said(Mode.PLANS, trial)
    if future := _announced(clause, days, as_of):
        return Said(Mode.PLANS, trial, future)
    if _aims(clause, days, as_of):
        return Said(Mode.INTENDS, trial)
    return Said(Mode.DOES, trial, first_day(days))


def _aims(clause: str, days: tuple[Mention, ...], as_of: date) -> bool:
    """Whether the clause tells a goal or a picture of later days, and not what has begun on the way there."""
    if _DREAMS.search(clause) or _DUE.search(clause):
        return True
    return bool(_INTENT.search(clause)) and not _NOW.search(clause) and not (days and _begun(clause, days, as_of))


def _plans(clause: str) -> bool:
    """Whether the clause ends in a plan, and not in what came of one (予定していたシステムを稼働させました)."""
    found = _PLAN.search(clause)
    return found is not None and not _CAME_OF_IT.search(found.group())


def _denied(clause: str, trial: bool) -> Said:
    part = limited(clause) and not elliptic(clause)
    return Said(Mode.LIMITS if part else Mode.DENIES, trial)


def _ends(clause: str) -> bool:
    if _OLD_WAY.search(clause) or _COMPLETED.search(clause):
        return False
    return bool(_END.search(clause)) or bool(_FORMER.search(clause) and _PAST_STATE.search(clause))


def _ended(clause: str, as_of: date, written: date | None, after: str) -> Said:
    found = _END.search(clause)
    days = [one.day for one in mentions(clause, near=written) if one.day]
    if found and _ENDED_ROUND.search(clause[: found.start()]):
        return Said(Mode.LIMITS, over=True)
    if days and max(days) > as_of:
        return Said(Mode.DOES, day=None)
    if _FORMERLY.match(clause):
        return Said(Mode.LIMITS)
    succeeded = _SUCCEEDED.search(clause) or (_SUCCEEDED.search(after) and not denies(after))
    if succeeded and not _NO_SUCCESSOR.search(clause + after):
        goes_on = bool(after) and bool(_ANOTHER.search(after)) and not _BACK.search(after) and not denies(after)
        return Said(Mode.DOES if goes_on else Mode.LIMITS)
    return Said(Mode.ENDED, day=max(days) if days else None)


def _planned(clause: str, days: tuple[Mention, ...], as_of: date, trial: bool) -> Said:
    day = first_day(days)
    if _EXTENDS.search(clause) and not (day and day > as_of and _BEGINS.search(clause)):
        return Said(Mode.INTENDS, trial)
    last = next((one.last for one in days if one.last), None)
    open_ = bool(_DELIBERATES.search(clause))
    if last and last <= as_of and not open_:
        return Said(Mode.DOES, trial, day, kept=True)
    return Said(Mode.PLANS, trial, day, open=open_)


def _announced(clause: str, days: tuple[Mention, ...], as_of: date) -> date | None:
    """The day after as_of on which the clause says that it starts, if it says so."""
    for one in days:
        rest = clause[one.end :]
        begins = _FROM.match(rest) and _START.search(rest) and not _STARTED.search(rest)
        if one.day and one.day > as_of and begins and not _DEADLINE.search(clause):
            return one.day
    if re.search(r"(?:来年度|来春|来月|次年度)(?:から|より|に|中)", clause) and not _STARTED.search(clause):
        return date.max
    return None


def _begun(clause: str, days: tuple[Mention, ...], as_of: date) -> bool:
    return any(one.day and one.day <= as_of and _FROM.match(clause[one.end :]) for one in days)
