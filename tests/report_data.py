"""An invented municipality, surveyed: all five outcomes, flags, measurements, press quotes and every cause of failure."""
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from pipeline.models import (
    Action,
    Cause,
    Confirmed,
    Coverage,
    CriteriaSet,
    Criterion,
    Decision,
    Flag,
    Judgement,
    Match,
    Measurement,
    Municipality,
    Pending,
    QueueItem,
    Quote,
    Run,
    RunState,
    Score,
    SettledBy,
    Snapshot,
    Source,
    Unread,
    Verdict,
    Viewpoint,
    ViewpointScore,
)

HOME = "https://www.city.shirasagihama.example/"
PRESS = "https://news.shiosai-shimpo.example/"
PLACE = Municipality(code="x5d21c0aa9e", name="白鷺浜市", kana="しらさぎはまし", prefecture="架空県", home_url=HOME)
AS_OF = date(2025, 3, 31)
CRAWLED = datetime(2025, 4, 2, 0, 12, 5, tzinfo=UTC)
RUN_ID = "20250402T001205Z-5d21"
REVIEWERS = ("田辺 沙織", "M. Okuno")

# id, settled by, statement, what counts, what does not
CRITERIA = (
    ("policy-01", "text", "民間との連携によるプロジェクト企画が行われている", "連携協定、包括連携、共創、PPP、または企業との共同事業", "通常の業務委託、広告"),
    ("policy-02", "text", "都道府県と連携し、市区町村独自でのデジタル化指針を公表している", "独自に公表したDX・ICT・スマートシティの計画、戦略、宣言", "国や都道府県の計画だけ"),
    ("policy-03", "text", "SDGsに対するデジタル施策が公表されている", "SDGsを目的に掲げる、または対応づけたデジタル施策や計画", "デジタルに触れないSDGs"),
    ("policy-04", "text", "自治体主導でDX人材の育成を宣言し行っている", "職員や地域向けのDX研修、DXを含む人材育成方針、CIO補佐官の登用", "一般の職員研修"),
    ("policy-05", "text", "DX推進課やICT活用など明確にDX化に関する部署がある", "名称または担当業務がDX・デジタル・情報政策である課、室、本部", "デジタルの担当が示されない総務課"),
    ("policy-06", "text", "Webを通じたプロモーションがメディアに取り上げられている", "Web・SNS・動画の広報がテレビ・新聞・Webメディアで紹介された、または公的な賞を受けた記載", "広報をしたことだけ"),
    ("ops-01", "text", "施設利用などに予約システムの導入を行っている", "施設、窓口、健診、催しのシステムによるオンライン予約", "電話や紙だけの予約"),
    ("ops-02", "text", "オンラインセミナーなどWebツールを利用する仕組みがある", "住民や職員に向けたオンラインの講座、説明会、相談", "対面だけの開催"),
    ("ops-03", "text", "Webツールを活用した業務・活動の実績がある", "Web会議、ビジネスチャット、電子決裁、電子入札、GIS、生成AIなどの業務利用", "意向だけ"),
    ("ops-04", "text", "テレワークの導入、印鑑廃止などの取り組みがある", "職員のテレワーク、または手続の押印の廃止・見直し", "企業のテレワークへの補助だけ"),
    ("ops-05", "text", "ペーパーレス化(証明書関連のデジタル化)が進められている", "コンビニ交付、電子交付、書かない窓口、または庁内のペーパーレス化", "環境保護の呼びかけ"),
    ("ops-06", "text", "ワクチン接種情報について特設サイトを設けている", "接種の情報をまとめた専用のページまたはサイト", "新着一覧の一行だけ"),
    ("ops-07", "text", "ワクチン接種の運用において、オンライン申請等デジタル活用が進んでいる", "接種のWeb・LINE予約、接種券のオンライン申請、電子の接種証明", "電話や郵送だけ"),
    ("ops-08", "text", "定型業務や単純業務にRPAを利用している", "RPA（またはAI-OCRとRPA）の利用または試行", "検討中"),
    ("ops-09", "text", "役所内にフリーアドレスを導入している", "少なくとも一つの課で実施したフリーアドレス、またはそれを含む執務室の改革", "計画だけ、住民向けの共用席"),
    ("resident-01", "measured", "公式ホームページの更新頻度は3日に1度以上である", "日付のある更新一覧、フィード、サイトマップで、直近60日の更新間隔の中央値が3日以下", ""),
    ("resident-02", "measured", "ホームページにアクセスする上でサイトの表示速度が十分にある", "トップページの最大コンテンツの描画（LCP）が中央値で2.5秒以下", ""),
    ("resident-03", "link", "YouTubeチャンネルがある", "公式チャンネルへのリンクまたは言及", "第三者の動画の埋め込み"),
    ("resident-04", "link", "Twitter/Instagram/Facebookの公式アカウントがある", "X、Instagram、Facebookの公式アカウントへのリンクまたは言及", "共有ボタン"),
    ("resident-05", "measured", "SNSの更新頻度は週1以上ある", "公式アカウントの投稿間隔の中央値が7日以下", ""),
    ("resident-06", "text", "行政に関する住民の質問にチャットボットなどを導入して対応している", "住民向けのチャットボットやAIによる案内の提供または試行", "FAQのページだけ"),
    ("resident-07", "text", "役所窓口や管轄の公共施設でキャッシュレス決済を導入している", "窓口または公共施設でのカード、電子マネー、コード決済", "納税だけ"),
    ("resident-08", "text", "納税をキャッシュレス化している", "カード、スマートフォンアプリ、地方税お支払サイト、ペイジーでの納税", "口座振替だけ"),
    ("resident-09", "text", "緊急時などのメール通知機能がある", "災害・防犯・緊急情報の登録制メール", "屋外の防災無線だけ"),
    ("resident-10", "text", "自治体が提供するアプリケーションがある", "市が住民に提供または公式に採用したアプリ", "市と関わりのない企業のアプリ"),
    ("resident-11", "link", "LINEによる相談窓口、情報発信体制がある", "公式LINEアカウント、またはLINEでの相談", "LINEへの共有ボタン"),
    ("resident-12", "text", "教育ICT(教育用タブレットの配布など)に力をいれている", "一人一台端末、GIGAスクール、デジタル教材、ICT支援員", "国の方針の文だけ"),
    ("resident-13", "text", "高齢者とのデジタルデバイド解消に取り組んでいる", "スマートフォン教室、デジタル活用の支援員や相談", "一般の生涯学習講座"),
    ("resident-14", "text", "住民票の写しや税証明などがデジタル上のツールで申請可能である", "住民票や税証明のオンライン申請、またはカードによるコンビニ交付", "郵送用の紙の様式の配布"),
    ("resident-15", "text", "事業者向けの診断システム(例:補助金、助成金)を導入している", "事業者が条件を入れると合う補助金や支援が示される仕組み", "補助金の一覧だけ"),
    ("resident-16", "text", "多言語(3言語以上)に対応している", "日本語を含む3言語以上のページ、翻訳、サービス", "英語だけ"),
)  # fmt: skip


def sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def criteria_set() -> CriteriaSet:
    def one(row: tuple[str, str, str, str, str]) -> Criterion:
        return Criterion(
            id=row[0],
            viewpoint=row[0].split("-")[0],
            settled_by=SettledBy(row[1]),
            statement_ja=row[2],
            statement_en=row[0],
            counts_ja=row[3],
            counts_en=row[0],
            does_not_count_ja=row[4],
            search_terms=("デジタル",),
        )

    return CriteriaSet(
        id="dx-2024",
        title_ja="自治体DX 31項目調査 2024年度版",
        title_en="31 criteria of municipal DX",
        version="1.0",
        viewpoints=(
            Viewpoint(id="policy", name_ja="方針・施策", name_en="Policy"),
            Viewpoint(id="ops", name_ja="業務の効率化", name_en="Operations"),
            Viewpoint(id="resident", name_ja="住民向け", name_en="Residents"),
        ),
        criteria=tuple(one(row) for row in CRITERIA),
        sha256=sha("criteria"),
    )


def quote(text: str, path: str, title: str, dated: str = "", *, press: bool = False, start: int = 120) -> Quote:
    url = path if ":" in path else (PRESS if press else HOME) + path
    return Quote(
        page_sha256=sha(url),
        url=url,
        start=start,
        end=start + len(text),
        text=text,
        match=Match.EXACT,
        title=title,
        dated=date.fromisoformat(dated) if dated else None,
        source=Source.PRESS if press else Source.OFFICIAL,
        context=text,
    )


# criterion -> the passages its judgement rests on
QUOTES: dict[str, tuple[Quote, ...]] = {
    "policy-01": (quote("市は潮騒通信株式会社と「デジタルを活用したまちづくりに関する包括連携協定」を締結し、高齢者の見守りと海岸清掃のデータ化を共同で進めています。", "machi/renkei/kyotei.html", "包括連携協定を締結しました", "2024-11-18"),),
    "policy-02": (quote("白鷺浜市デジタル推進計画（令和5年度～令和9年度）を策定しましたので公表します。", "shisei/keikaku/digital.html", "白鷺浜市デジタル推進計画", "2023-04-03"), quote("本計画は、県の戦略と歩調を合わせ、本市が独自に定めるものです。", "shisei/keikaku/digital_honbun.pdf", "白鷺浜市デジタル推進計画 本編", "2023-03-28")),
    "policy-04": (quote("各課から選ばれた42名のDX推進リーダーを対象に、年6回の研修を実施しています。", "shisei/jinzai/dx-leader.html", "DX推進リーダーの育成", "2025-01-20"),),
    "policy-05": (quote("デジタル推進課 情報政策係", "soshiki/digital/index.html", "組織から探す：デジタル推進課", "2024-04-01"),),
    "policy-06": (quote("白鷺浜市が動画投稿サイトで公開する「潮だまり図鑑」が話題だ。再生は半年で百万回を超えた。", "region/20250214.html", "潮だまりの動画、市の広報に注目集まる", "2025-02-14", press=True),),
    "ops-01": (quote("体育館・公民館の空き状況の確認と利用の予約は、公共施設予約システムからいつでも行えます。", "kurashi/shisetsu/yoyaku.html", "公共施設予約システム", "2024-10-01"),),
    "ops-02": (quote("移住相談会はWeb会議で開催します。ご自宅から参加できます。", "iju/soudan-online.html", "オンライン移住相談会", "2025-03-04"),),
    "ops-03": (quote("令和6年4月から電子決裁の対象を全庁に広げ、決裁の96.2％が電子で行われました。", "shisei/gyokaku/kessai.html", "行政改革の実績（令和6年度上半期）", "2024-12-09"),),
    "ops-04": (quote("職員の在宅勤務については、窓口体制への影響を考慮し、現在のところ実施しておりません。", "shisei/koe/r6/0312.html", "市民の声：職員の在宅勤務について", "2024-08-27"),),
    "ops-05": (quote("マイナンバーカードがあれば、全国のコンビニエンスストアで証明書を取得できます。", "kurashi/koseki/conveni.html", "証明書のコンビニ交付", "2024-06-03"),),
    "ops-06": (quote("新型コロナワクチン接種 特設ページ", "vaccine/index.html", "新型コロナワクチン接種 特設ページ", "2024-03-29"),),
    "ops-08": (quote("市民税課の申告書入力において、AI-OCRとRPAを組み合わせた実証実験を10月から行っています。", "shisei/gyokaku/rpa.html", "RPAの実証実験について", "2024-10-15"),),
    "resident-03": (quote("白鷺浜市公式YouTubeチャンネル", "index.html", "白鷺浜市公式ホームページ"),),
    "resident-04": (quote("公式Instagram", "koho/sns.html", "市の公式SNS一覧", "2024-05-16"), quote("公式X（旧Twitter）", "koho/sns.html", "市の公式SNS一覧", "2024-05-16", start=160)),
    "resident-06": (quote("AIチャットボット「しらさぎくん」が、ごみの出し方や手続について24時間お答えします。", "kurashi/chatbot.html", "AIチャットボットのご案内", "2025-02-03"),),
    "resident-07": (quote("市民課の窓口では、クレジットカード、交通系電子マネー、コード決済で手数料をお支払いいただけます。", "kurashi/koseki/cashless.html", "窓口のキャッシュレス決済", "2024-09-02"),),
    "resident-08": (quote("固定資産税・軽自動車税は、納付書の二次元コードを読み取り、地方税お支払サイトで納付できます。", "kurashi/zei/nofu.html", "市税の納付方法", "2024-04-26"),),
    "resident-09": (quote("「白鷺浜あんしんメール」に登録すると、避難情報や不審者情報をメールで受け取れます。", "bosai/mail.html", "白鷺浜あんしんメール", "2023-07-12"),),
    "resident-11": (quote("白鷺浜市LINE公式アカウント 友だち追加はこちら", "koho/line.html", "LINE公式アカウント", "2024-07-30"),),
    "resident-12": (quote("市立小中学校の全児童生徒に1人1台のタブレット端末を配布し、ICT支援員を各校に配置しています。", "kyoiku/giga.html", "GIGAスクール構想への取組", "2024-05-20"),),
    "resident-13": (quote("65歳以上の方を対象に、はじめてのスマートフォン教室を各公民館で開催しています。", "fukushi/smaho.html", "スマートフォン教室（参加者募集）", "2025-01-08"),),
    "resident-14": (quote("住民票の写し、所得・課税証明書は、スマートフォンからオンラインで申請できます。", "kurashi/koseki/online.html", "証明書のオンライン申請", "2024-08-01"),),
}  # fmt: skip

UNREAD = (
    Unread(url=HOME + "vaccine/yoyaku/", cause=Cause.SERVER, detail="503", label="ワクチン接種のWeb予約"),
    Unread(url=HOME + "vaccine/kenshin.pdf", cause=Cause.NEEDS_OCR, label="接種券のオンライン申請手順（PDF）", sha256=sha("scan")),
    Unread(url=HOME + "kurashi/app/", cause=Cause.TIMEOUT, detail="30 s", label="市の公式アプリ"),
    Unread(url=HOME + "foreign/", cause=Cause.ROBOTS, label="Multilingual"),
    Unread(url=HOME + "shisei/old/2019.html", cause=Cause.NOT_FOUND, detail="404", label="過去のお知らせ"),
    Unread(url=HOME + "shisei/old/2018.html", cause=Cause.NOT_FOUND, detail="410"),
    Unread(url="https://kanko.shirasagihama.example/", cause=Cause.DNS, label="観光サイト"),
    Unread(url=HOME + "koho/backnumber/r1.zip", cause=Cause.MEDIA, detail="application/zip", label="広報紙一括"),
    Unread(url=PRESS + "2024/0907.html", cause=Cause.FORBIDDEN, detail="403", label="", source=Source.PRESS),
)  # fmt: skip

MEASURED = Measurement(
    name="更新間隔の中央値",
    value=1.0,
    unit="日",
    threshold=3.0,
    threshold_source="調査項目の文（3日に1度以上）",
    values=(1.0, 1.0, 2.0, 1.0, 3.0),
    readings=("2025-03-28", "2025-03-27", "2025-03-25", "2025-03-24", "2025-03-21"),
    urls=(HOME + "news/rss.xml",),
    sha256s=(sha("feed"),),
)

# criterion -> verdict and flags where they are not a plain `met`
VERDICTS: dict[str, tuple[Verdict, tuple[Flag, ...]]] = {
    "policy-03": (Verdict.NO_EVIDENCE, ()),
    "policy-06": (Verdict.MET, (Flag.PRESS,)),
    "ops-04": (Verdict.NOT_MET, (Flag.CONTRADICTED,)),
    "ops-06": (Verdict.MET, (Flag.OLD_PAGE, Flag.SHORT_QUOTE)),
    "ops-07": (Verdict.UNOBSERVED, (Flag.PAGES_UNREAD,)),
    "ops-08": (Verdict.MET, (Flag.TRIAL,)),
    "ops-09": (Verdict.NO_EVIDENCE, (Flag.BUDGET_SPENT,)),
    "resident-02": (Verdict.NOT_JUDGED, ()),
    "resident-05": (Verdict.NOT_JUDGED, ()),
    "resident-10": (Verdict.NO_EVIDENCE, (Flag.PAGES_UNREAD,)),
    "resident-13": (Verdict.MET, (Flag.UNQUOTED_PLAN, Flag.LOW_CONFIDENCE)),
    "resident-15": (Verdict.NO_EVIDENCE, ()),
    "resident-16": (Verdict.UNOBSERVED, (Flag.PAGES_UNREAD,)),
}
UNREAD_OF = {"ops-07": UNREAD[:2], "resident-10": UNREAD[2:3], "resident-16": UNREAD[3:4]}
AWAITING = frozenset({"policy-06", "ops-07", "ops-08", "ops-09", "resident-02", "resident-05", "resident-10", "resident-13"})  # fmt: skip
# what the judge said before a person amended it
AMENDED = {"resident-06": Verdict.NO_EVIDENCE}


def run(**changes: object) -> Run:
    coverage = Coverage(
        home_read=True,
        found=612,
        fetched=398,
        read=389,
        unread=UNREAD,
        pending=(
            Pending(url=HOME + "shisei/shitsumu/kaikaku.html", label="執務室の改革"),
            Pending(url=HOME + "event/2023/"),
        ),
        started=CRAWLED,
        finished=CRAWLED + timedelta(minutes=14, seconds=31),
        max_pages=400,
    )
    made = Run(
        id=RUN_ID,
        municipality=PLACE,
        criteria_id="dx-2024",
        criteria_sha256=sha("criteria"),
        as_of=AS_OF,
        judge="rules",
        state=RunState.DONE,
        started=CRAWLED,
        finished=CRAWLED + timedelta(minutes=15),
        coverage=coverage,
    )
    return made.model_copy(update=changes)


def judgement(criterion: Criterion) -> Judgement:
    verdict, flags = VERDICTS.get(criterion.id, (Verdict.MET, ()))
    proposed = AMENDED.get(criterion.id, verdict)
    return Judgement(
        criterion=criterion.id,
        verdict=proposed,
        quotes=QUOTES.get(criterion.id, ()) if proposed == verdict else (),
        rationale="この項目を測る手段がまだありません。" if verdict is Verdict.NOT_JUDGED else "",
        confidence=0.8,
        flags=flags,
        measurement=MEASURED if criterion.id == "resident-01" else None,
        searched=tuple(f"{HOME}{criterion.id}/{n}.html" for n in range(7 + len(criterion.id))),
        unread=UNREAD_OF.get(criterion.id, ()),
        judge="probe" if criterion.settled_by is SettledBy.MEASURED else "rules",
        criteria_sha256=sha("criteria"),
        judged_at=CRAWLED + timedelta(minutes=15),
    )


def decision(judged: Judgement, number: int) -> Decision:
    verdict = VERDICTS.get(judged.criterion, (Verdict.MET, ()))[0]
    amended = verdict is not judged.verdict
    return Decision(
        municipality=PLACE.code,
        criterion=judged.criterion,
        of=sha(judged.criterion),
        action=Action.AMEND if amended else Action.APPROVE,
        verdict=verdict,
        quotes=QUOTES.get(judged.criterion, ()),
        reviewer=REVIEWERS[number % 3 == 0],
        note="トップページからの案内で確認。検索の候補には入っていなかった。" if amended else "",
        decided_at=datetime(2025, 4, 3 + number % 3, 1, number, tzinfo=UTC),
    )


def items(*, awaiting: frozenset[str] | None = AWAITING) -> list[QueueItem]:
    """The queue; `awaiting` names the criteria without a decision, None means all of them."""
    made = []
    for number, criterion in enumerate(criteria_set().criteria, 1):
        judged = judgement(criterion)
        undecided = awaiting is None or criterion.id in awaiting
        decisions = () if undecided else (decision(judged, number),)
        made.append(
            QueueItem(
                number=number,
                run_id=RUN_ID,
                municipality=PLACE,
                judgement=judged,
                digest=sha(criterion.id),
                decisions=decisions,
            )
        )
    return made


def score(queue: Sequence[QueueItem], criteria: CriteriaSet | None = None) -> Score:
    """Counted here by itself, so that the report is held against a second count."""
    criteria = criteria or criteria_set()
    by_id: Mapping[str, QueueItem] = {item.judgement.criterion: item for item in queue}
    confirmed = []
    for item in queue:
        if item.decisions and (last := item.decisions[-1]).verdict is not None:
            confirmed.append(
                Confirmed(
                    criterion=last.criterion,
                    verdict=last.verdict,
                    quotes=last.quotes,
                    measurement=item.judgement.measurement,
                    reviewer=last.reviewer,
                    decided_at=last.decided_at,
                    note=last.note,
                )
            )
    decided = {one.criterion for one in confirmed}
    met = {one.criterion for one in confirmed if one.verdict is Verdict.MET}
    viewpoints = []
    for viewpoint in criteria.viewpoints:
        ids = [c.id for c in criteria.criteria if c.viewpoint == viewpoint.id]
        open_ids = [i for i in ids if i not in decided]
        proposed = [i for i in open_ids if i in by_id and by_id[i].judgement.verdict is Verdict.MET]
        viewpoints.append(
            ViewpointScore(
                viewpoint=viewpoint.id,
                confirmed=len(met & set(ids)),
                provisional=len(proposed),
                awaiting=len(open_ids),
                possible=len(ids),
            )
        )
    return Score(
        municipality=PLACE,
        run_id=RUN_ID,
        criteria_id=criteria.id,
        points=len(met),
        possible=len(criteria.criteria),
        awaiting=sum(v.awaiting for v in viewpoints),
        viewpoints=tuple(viewpoints),
        confirmed=tuple(confirmed),
    )


def snapshots() -> list[Snapshot]:
    urls = {q.url for quotes in QUOTES.values() for q in quotes}
    return [
        Snapshot(
            url=url,
            final_url=url,
            fetched_at=CRAWLED + timedelta(seconds=3 * n),
            status=200,
            sha256=sha(url),
            warc=f"{PLACE.code}/{RUN_ID}.warc.gz",
            offset=4096 * n,
        )
        for n, url in enumerate(sorted(urls))
    ]
