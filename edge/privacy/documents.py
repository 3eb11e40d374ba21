"""The notice for the door and the impact assessment, filled in from the settings: HTML pages that need nothing else.

What the settings can't know is left open and marked. Everything that comes from outside is escaped.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from importlib.resources import files
from string import Template

from edge.privacy.policy import ARTICLE, EEA, Policy, Purpose
from edge.role import Role

Sources = Sequence[tuple[str, Role]]
"""Kind of each source, as the settings name it, and whom it is pointed at."""

_OPEN = '<span class="open">to fill in</span>'
_WHOM = {Role.STUDENTS: "the students", Role.TEACHER: "the teacher"}
_KINDS = {
    "csi_camera": "camera",
    "stream": "network camera",
    "screen": "recording of a screen",
    "file": "recorded file",
}
_PURPOSES = {
    Purpose.EDUCATION: "Teaching: the teacher sees how the class as a whole is doing, and when that changes.",
    Purpose.RESEARCH: "Research on teaching: how a class as a whole is doing over a lesson.",
    Purpose.MEDICAL: "A medical reason (therapy or treatment).",
    Purpose.SAFETY: "Safety of the people in the room.",
}


def notice(
    *,
    policy: Policy,
    retention_days: float,
    site: str,
    room: str,
    sources: Sources,
    rules: Iterable[str],
    mqtt_host: str,
    printed_on: date,
) -> str:
    """Return a page to hang at the door and one to be signed: what is measured, what not, how long, who answers.

    Args:
        policy: What the operator decided.
        retention_days: After how many days lessons are deleted.
        site: The school.
        room: The room.
        sources: What looks and listens, and at whom.
        rules: Names of the rules that ring.
        mqtt_host: Where the figures are sent.
        printed_on: Date of the print.
    """
    emotion = policy.reads_emotions
    measured = _measured(policy)
    if any(rules):
        measured.append("The teacher is told when a figure stays unusual for some time.")
    return _page(
        "notice.html",
        headline="The mood of this class is estimated" if emotion else "What goes on in this room is measured",
        lead=(
            "A small box in this room estimates from faces and voices how the class as a whole is doing. It does so by "
            "itself, without a cloud. It errs often: a frown may be concentration."
            if emotion
            else "A small box in this room counts people and measures attention, movement, talk and noise of the class "
            "as a whole, by itself, without a cloud. It does not read emotions."
        ),
        room=escape(room),
        site=escape(site),
        measured=_items(measured),
        sources=_sources(sources),
        least=str(policy.least_people),
        noemotion="" if emotion else "<li><b>No emotions.</b> The program that reads them is not even loaded.</li>",
        purpose=_purpose(policy),
        basis=_OPEN,
        retention=_days(retention_days),
        recipients=_recipients(mqtt_host),
        responsible=_responsible(policy),
        contact=_OPEN,
        officer=_OPEN,
        authority=_OPEN,
        law=_law(policy),
        what="that the mood of the class I am in is estimated" if emotion else "that the class I am in is measured",
        printed=f"{printed_on:%d %B %Y}",
    )


def dpia(
    *,
    policy: Policy,
    retention_days: float,
    site: str,
    room: str,
    sources: Sources,
    rules: Iterable[str],
    mqtt_host: str,
    printed_on: date,
) -> str:
    """Return a data protection impact assessment to be completed (GDPR, article 35(7)).

    Args:
        policy: What the operator decided.
        retention_days: After how many days lessons are deleted.
        site: The school.
        room: The room.
        sources: What looks and listens, and at whom.
        rules: Names of the rules that ring.
        mqtt_host: Where the figures are sent.
        printed_on: Date of the print.
    """
    emotion = policy.reads_emotions
    return _page(
        "dpia.html",
        room=escape(room),
        site=escape(site),
        scoring=", and 1: people are rated by what their faces and voices show" if emotion else "",
        controller=_OPEN,
        responsible=_responsible(policy),
        mode=f"<b>{policy.mode.value}</b>: " + ("emotions are estimated" if emotion else "no emotion model is loaded"),
        jurisdiction=escape((policy.jurisdiction or "").strip().upper()) or _OPEN,
        purpose=_purpose(policy),
        number=_OPEN,
        sources=_sources(sources).capitalize(),
        measured=_items(_measured(policy)),
        retention=_days(retention_days),
        recipients=_recipients(mqtt_host),
        readers=_OPEN,
        rules=escape(", ".join(rules)) or "none",
        basis=_OPEN,
        special=(
            "Article 9(1) covers biometric data used to identify and data on health. Nobody is identified here. "
            "Emotions read for a medical reason are data on health. Your finding: "
            if emotion
            else "Article 9(1) covers biometric data used to identify; nobody is identified here. Your finding: "
        )
        + _OPEN,
        less=f"Asking the class, no emotions, fewer sources or lessons: why is that not enough? {_OPEN}",
        least=str(policy.least_people),
        minimised=(
            "emotions of the class " + ("and the teacher" if policy.teacher_emotions else "but not of the teacher")
            if emotion
            else "no emotions"
        ),
        accuracy=(
            "Faces and voices do not show feelings reliably (Barrett et al., 2019). Each figure carries its 95 % "
            "interval and how much was seen; the models' errors are in docs/models.md."
            if emotion
            else "Each figure carries how much was seen. A head that points to the front need not attend."
        ),
        short=_OPEN,
        informed=_OPEN,
        rights=_OPEN,
        law=_law(policy),
        risks="".join(_row(risk, measure, _OPEN) for risk, measure in _risks(policy, retention_days, mqtt_host)),
        todo="".join(_row(measure, _OPEN) for measure in _to_do(policy, mqtt_host)),
        printed=f"{printed_on:%d %B %Y}",
    )


def _page(name: str, **fields: str) -> str:
    folder = files(__package__)
    style = folder.joinpath("print.css").read_text("utf-8").strip()
    return Template(folder.joinpath(name).read_text("utf-8")).substitute(fields, style=style)


def _items(texts: Iterable[str]) -> str:
    return "".join(f"<li>{text}</li>" for text in texts)


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _measured(policy: Policy) -> list[str]:
    """Return what is worked out, a line each."""
    measured = [
        "How many people are in view.",
        "Share of the heads that point to the front, and how much the class moves.",
        "Share of the time in which the class or the teacher speaks, turns, silence; how loud it is.",
    ]
    if policy.reads_emotions:
        whose = "of the class and of the teacher" if policy.teacher_emotions else "of the class"
        measured.insert(
            0,
            f"Estimated shares of seven expressions {whose}, from faces and tone of voice: anger, disgust, fear, "
            "happiness, sadness, surprise, neutral.",
        )
    return measured


def _sources(sources: Sources) -> str:
    """Return what looks and listens, in words."""
    seen = [f"a {escape(_KINDS.get(kind, kind))} on {_WHOM[role]}" for kind, role in sources]
    return " and ".join(filter(None, (", ".join(seen[:-1]), *seen[-1:])))


def _purpose(policy: Policy) -> str:
    return _OPEN if policy.purpose is None else _PURPOSES[policy.purpose]


def _responsible(policy: Policy) -> str:
    name = (policy.responsible or "").strip()
    decided = f", who decided this on {policy.decided_on:%d %B %Y}" if name and policy.decided_on else ""
    return f"<b>{escape(name)}</b>{decided}" if name else _OPEN


def _days(days: float) -> str:
    return "1 day" if days == 1 else f"{days:g} days"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _recipients(host: str) -> str:
    if _is_here(host):
        return "A message broker on the box itself, and what is allowed to read there, such as the teacher's tablet."
    return f"The message broker <b>{escape(host)}</b>, and what is allowed to read there, such as the teacher's tablet."


def _law(policy: Policy) -> str:
    """Return the paragraph on the AI Act."""
    country = (policy.jurisdiction or "").strip().upper()
    if not policy.reads_emotions:
        text = (
            f"{ARTICLE}, prohibits AI systems that infer emotions at work and in schools, of teachers as of "
            "students. This box is set so that it loads none."
        )
    elif country in EEA:
        reason = policy.purpose.value if policy.purpose else ""
        text = (
            f"{ARTICLE}, prohibits AI systems that infer emotions at work and in schools except for medical or "
            f"safety reasons. This box runs for a {reason} reason; the evidence for that lies with {_OPEN}"
        )
    else:
        text = (
            f"In the EU and EEA this would be prohibited ({ARTICLE}). The law that applies here is that of "
            f"<b>{escape(country)}</b>; that it allows this was examined by {_OPEN}"
        )
    return f'<p class="law">{text}</p>'


def _risks(policy: Policy, retention_days: float, host: str) -> Iterable[tuple[str, str]]:
    """Yield each risk with the measure that the program takes."""
    yield (
        "Pictures or sound of children get out.",
        "In memory only, for seconds; what publishes and stores can't reach them (see <i>edge privacy verify</i>).",
    )
    yield (
        "A single student is singled out.",
        (
            f"Nothing below {policy.least_people} people; no value that rests on fewer; a window is withheld as well "
            "while it shares seconds with one of too few. Not excluded: who was there may draw conclusions, above all "
            "from a voice, which is one person's at a time."
        ),
    )
    yield (
        "Pressure to conform: people behave for the camera.",
        "Class-level figures; nobody can see who did what. The teacher can snooze or stop it.",
    )
    yield (
        "Figures are used to judge teachers or students.",
        "No figure names anybody; every report says what it can't tell. The rest is the school's rule.",
    )
    if policy.reads_emotions:
        yield (
            "Wrong readings, more often for some groups (age, skin, culture, disability, glasses, veils).",
            (
                "Intervals and &ldquo;not enough evidence&rdquo; in place of a guess; errors measured and published. "
                "They were not measured on this class."
            ),
        )
    yield (
        "Figures are read by people they were not meant for.",
        "Broker on the box itself, reachable with a login only."
        if _is_here(host)
        else "Login and encryption to the broker can be set (tls_ca); the broker's readers are the school's to limit.",
    )
    yield ("Figures pile up to a profile of a class over years.", f"Deleted after {_days(retention_days)}.")
    yield (
        "The box is stolen or broken into.",
        "No media on its disk; figures of classes only. Disk encryption and updates are the school's.",
    )


def _to_do(policy: Policy, host: str) -> Iterable[str]:
    """Yield what the program can't do."""
    yield "Hang up the notice; collect and keep the consents; seats out of view for who says no."
    yield "Rule in writing: no use for marks, discipline, staff evaluation; who may see what."
    yield "Aim the cameras at the class only; no corridor, no screen with names."
    yield "Run <i>edge privacy verify</i> after installation and each update; keep its report."
    yield "Encrypt the disk, switch swap and core dumps off, install updates."
    if not _is_here(host):
        yield "Give each reader of the broker a login of its own, for this room's topics; encrypt the connection."
    if policy.reads_emotions:
        yield "Have the law examined by a lawyer, in writing, before the first lesson; again when it changes."
        yield "Explain to teachers how often readings are wrong, and that a person decides."
