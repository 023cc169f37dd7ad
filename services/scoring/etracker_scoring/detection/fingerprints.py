"""F signals: what known tools leave in the numbers they report."""

from etracker_scoring.detection.records import Content, Evidence
from etracker_scoring.detection.remembered import SessionSignals, Signals
from etracker_scoring.detection.signal_parameters import SignalParameters
from etracker_scoring.detection.steps import Step
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, Kind

_PORT = 49152
_SHARE_OF_BLOCKS = 8
"""Rates of a session are compared if they begin in one of so many blocks, so that few sessions must be remembered."""

_ROUGHLY = 0.03
_SHORT_MS = 300_000
"""Rates over less time than this depend on when exactly a client announces."""


def follow_multiples(
    signals: Signals, session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> tuple[Signals, SessionSignals]:
    """F:mod5: all values of the upload counter are divisible by 5. By chance, n of them are once in 5^n.

    They are counted over all sessions: a tool that is restarted goes on like that.
    """
    now, before, fives = step.now.uploaded, step.before.uploaded, signals.fives
    if step.fell:
        return signals, session
    if now % 5 or not (fives or (before > 0 and before % 5 == 0)):
        return signals._replace(fives=0) if fives else signals, session
    if _divides_anyway(step.observation.uploaded, step.content):
        return signals, session
    fives = fives + 1 if fives else 2
    if fives >= parameters.multiples_steps:
        text = f"{fives} values of the upload counter in succession are divisible by 5: by chance, once in 5^{fives}."
        is_first = fives == parameters.multiples_steps
        points = parameters.multiples_points if is_first else parameters.multiples_step_points
        found.append(step.evidence(Kind.MULTIPLES_OF_5, points, text, values=fives))
        session = _check_port(session, step, parameters, found)
    return signals._replace(fives=fives), session


def _divides_anyway(uploaded: int, content: Content) -> bool:
    """Return whether the torrent explains it: whole copies, or pieces that are divisible by 5."""
    whole = content.size and content.size % 5 == 0 and uploaded % content.size == 0
    return bool(whole or (content.piece_length and content.piece_length % 5 == 0))


def _check_port(
    session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> SessionSignals:
    """F:port: the first port that JOAL tries."""
    if session.port_seen or step.observation.port != _PORT:
        return session
    text = f"Announces port {_PORT}, as a tool does whose upload counter is divisible by 5."
    found.append(step.evidence(Kind.PORT, parameters.port_points, text, port=_PORT))
    return session._replace(port_seen=1)


def follow_rates(
    session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> SessionSignals:
    """F:const: the upload rate hardly changes."""
    if step.elapsed_ms < _SHORT_MS:
        return session
    rate = step.observation.uploaded * 1000 // step.elapsed_ms
    number = session.rates
    is_close = number > 0 and abs(rate * number - session.rate_sum) <= _ROUGHLY * session.rate_sum
    if not step.proves or rate <= parameters.constant_least_rate or not (is_close or _begins(session, step)):
        return session._replace(rates=0, rate_sum=0, rate_squares=0) if number else session
    if not is_close:
        return session._replace(rates=1, rate_sum=rate, rate_squares=rate * rate)
    session = session._replace(
        rates=number + 1, rate_sum=session.rate_sum + rate, rate_squares=session.rate_squares + rate * rate
    )
    return _judge_rates(session, step, parameters, found) if session.rates >= parameters.constant_steps else session


def _begins(session: SessionSignals, step: Step) -> bool:
    return (step.at // BLOCK_SECONDS + session.tag) % _SHARE_OF_BLOCKS == 0


def _judge_rates(
    session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> SessionSignals:
    number, total = session.rates, session.rate_sum
    deviations = max(0, number * session.rate_squares - total * total)
    variation = (deviations / number / (number - 1)) ** 0.5 / (total / number)
    if variation < parameters.constant_variation:
        rate = total / number / 1000
        text = f"Its upload rate was {rate:.0f} kB/s {number} times in succession, within {variation:.1%}."
        data = {"rate": total // number, "variation": round(variation, 5)}
        found.append(step.evidence(Kind.CONSTANT_RATE, parameters.constant_points, text, **data))
    return session._replace(rates=0, rate_sum=0, rate_squares=0)
