"""Noise, music, motors, sound events and rooms, all made of numbers.

Each maker takes a generator of random numbers and a length in samples, and
gives samples of any level; SOUNDS are the events that the audio head tells apart.
"""

import numpy as np
from scipy import fft
from scipy.signal import lfilter, oaconvolve

RATE = 16000
Draw = np.random.Generator


def coloured(draw: Draw, n: int) -> np.ndarray:
    """Noise whose power falls or grows with frequency: brown to violet."""
    size = fft.next_fast_len(n, real=True)
    spectrum = fft.rfft(draw.standard_normal(size, np.float32))
    f = np.arange(1, len(spectrum) + 1, dtype=np.float32) / len(spectrum)
    return fft.irfft(spectrum * f ** np.float32(draw.uniform(-1.1, 0.5)), size)[:n]


def gusts(draw: Draw, n: int) -> np.ndarray:
    """Noise that swells and dies: wind, traffic, a fan that turns."""
    knots = draw.uniform(0.05, 1, max(3, int(n / RATE * draw.uniform(0.5, 5))))
    return (
        coloured(draw, n)
        * np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots) ** 2
    )


def motor(draw: Draw, n: int) -> np.ndarray:
    """Harmonics of a shaft that changes speed, gear whine, and brush noise."""
    knots = draw.uniform(0.6, 1.4, max(2, int(n / RATE * draw.uniform(0.3, 3))))
    speed = np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)
    phase = (2 * np.pi * np.cumsum(speed * draw.uniform(30, 260)) / RATE % (2 * np.pi)).astype(
        np.float32
    )
    x = sum(
        draw.uniform(0, 1) / k * np.sin(k * phase + np.float32(draw.uniform(0, 6)))
        for k in range(1, 10)
    )
    x = x + draw.uniform(0, 0.5) * np.sin(int(draw.integers(13, 40)) * phase)
    return x + draw.uniform(0, 0.6) * coloured(draw, n) * (1 + np.sin(phase))


def note(draw: Draw, n: int, hz: float) -> np.ndarray:
    t = np.arange(n, dtype=np.float32) / RATE
    x = sum(
        draw.uniform(0.1, 1) / k * np.sin(2 * np.pi * k * hz * t + draw.uniform(0, 6))
        for k in range(1, 5)
        if k * hz < RATE / 2
    )
    return x * np.exp(-t * draw.uniform(0.5, 6)) * np.minimum(1, t * draw.uniform(20, 400))


def music(draw: Draw, n: int) -> np.ndarray:
    """Chords, a melody and drums in a key and a tempo."""
    beat = int(RATE * 60 / draw.uniform(70, 170))
    scale = (
        np.array([0, 2, 4, 5, 7, 9, 11])
        if draw.random() < 0.5
        else np.array([0, 2, 3, 5, 7, 8, 10])
    )
    root = 110 * 2 ** (draw.integers(0, 12) / 12)
    x = np.zeros(n + 4 * beat)
    for at in range(0, n, beat):
        if draw.random() < 0.35:
            for degree in draw.choice(7, 3, replace=False):
                x[at : at + 3 * beat] += 0.5 * note(
                    draw, 3 * beat, root * 2 ** (scale[degree] / 12)
                )
        step = beat // draw.integers(1, 4)
        for s in range(at, at + beat, step):
            if draw.random() < 0.7:
                x[s : s + 2 * step] += note(
                    draw, 2 * step, 2 * root * 2 ** (draw.choice(scale) / 12)
                )
        if draw.random() < 0.8:
            size = beat // 3
            drum = draw.standard_normal(size) * np.exp(-np.arange(size) / draw.uniform(100, 900))
            x[at : at + size] += draw.uniform(0, 1.5) * drum
    return x[:n]


def burst(draw: Draw, decay_ms: float, low: float, high: float, n: int) -> np.ndarray:
    """A short noise between two frequencies that dies away."""
    spectrum = fft.rfft(draw.standard_normal(n, np.float32))
    f = fft.rfftfreq(n, 1 / RATE)
    spectrum *= np.exp(
        -((np.log(f + 1) - np.log(np.sqrt(low * high))) ** 2) / (2 * (np.log(high / low) / 2) ** 2)
    )
    x = fft.irfft(spectrum, n)
    return x / (np.abs(x).max() + 1e-9) * np.exp(-np.arange(n) / RATE * 1000 / decay_ms)


def place(draw: Draw, n: int, count: int, one, gap: tuple[float, float]) -> np.ndarray:
    """count times what one gives, gap seconds apart."""
    x, at = np.zeros(n), int(draw.uniform(0, 0.15) * RATE)
    for _ in range(count):
        y = one()[: max(0, n - at)]
        x[at : at + len(y)] += y
        at += int(draw.uniform(*gap) * RATE)
        if at >= n:
            break
    return x


def clap(draw: Draw, n: int) -> np.ndarray:
    low, high = draw.uniform(700, 1200), draw.uniform(2000, 4500)
    return place(
        draw,
        n,
        draw.integers(1, 9),
        lambda: draw.uniform(0.5, 1) * burst(draw, draw.uniform(6, 18), low, high, RATE // 5),
        (0.16, 0.5),
    )


def knock(draw: Draw, n: int) -> np.ndarray:
    hz = draw.uniform(90, 320)

    def one() -> np.ndarray:
        t = np.arange(RATE // 4) / RATE
        body = sum(
            np.sin(2 * np.pi * hz * r * t) * np.exp(-t * draw.uniform(25, 60)) / r
            for r in (1, 1.7, 2.6, 3.9)
        )
        return draw.uniform(0.6, 1) * (body + 0.4 * burst(draw, 3, 400, 2500, len(t)))

    return place(draw, n, draw.integers(2, 6), one, (0.13, 0.32))


def glass(draw: Draw, n: int) -> np.ndarray:
    x = 0.8 * burst(draw, draw.uniform(20, 80), 2500, 7500, n)
    for _ in range(draw.integers(8, 40)):
        at, size = int(abs(draw.normal(0, 0.25)) * RATE), int(draw.uniform(0.05, 0.3) * RATE)
        t = np.arange(size) / RATE
        y = sum(
            np.sin(2 * np.pi * draw.uniform(1800, 7500) * t) * np.exp(-t * draw.uniform(20, 90))
            for _ in range(4)
        )
        if at < n:
            x[at : at + size] += draw.uniform(0.05, 0.4) * y[: n - at]
    return x


def beep(draw: Draw, n: int) -> np.ndarray:
    hz, size = draw.uniform(400, 3500), int(draw.uniform(0.06, 0.4) * RATE)
    t = np.arange(size) / RATE
    tone = (
        np.sin(2 * np.pi * hz * t)
        if draw.random() < 0.6
        else np.sign(np.sin(2 * np.pi * hz * t)) * 0.6
    )
    return place(
        draw,
        n,
        draw.integers(1, 7),
        lambda: tone * np.minimum(1, np.minimum(t, t[::-1]) * 400),
        (size / RATE + 0.05, size / RATE + 0.5),
    )


def alarm(draw: Draw, n: int) -> np.ndarray:
    """A siren: a tone that goes up and down without a pause."""
    low, high, rate = draw.uniform(400, 900), draw.uniform(1100, 2800), draw.uniform(0.5, 4)
    t = np.arange(n) / RATE
    turn = (
        np.sin(2 * np.pi * rate * t)
        if draw.random() < 0.6
        else np.sign(np.sin(2 * np.pi * rate * t))
    )
    x = np.sin(2 * np.pi * np.cumsum(low + (high - low) * (turn + 1) / 2) / RATE)
    return x + draw.uniform(0, 0.4) * np.sign(x)


def ring(draw: Draw, n: int) -> np.ndarray:
    """A telephone or a door bell: two struck tones, again and again."""
    pair = draw.uniform(500, 2200) * np.array([1, draw.uniform(1.15, 1.6)])
    size = int(draw.uniform(0.3, 0.8) * RATE)
    return place(
        draw,
        n,
        4,
        lambda: np.concatenate([note(draw, size // 2, pair[1]), note(draw, size, pair[0])]),
        (0.6, 1.4),
    )


def hiss(draw: Draw, n: int) -> np.ndarray:
    """Running water, air, a radio between stations."""
    return lfilter([1, -draw.uniform(0.3, 0.95)], [1], draw.standard_normal(n)) * (
        1 + 0.2 * np.abs(coloured(draw, n))
    )


def silence(draw: Draw, n: int) -> np.ndarray:
    return draw.standard_normal(n) * 1e-3


SOUNDS = {
    "clap": clap, "knock": knock, "glass": glass, "beep": beep, "alarm": alarm, "ring": ring,
    "motor": motor, "music": music, "noise": hiss, "silence": silence,
}  # fmt: skip


def room(draw: Draw) -> np.ndarray:
    """The answer of a shoebox room by image sources (Allen and Berkley, 1979),
    from the direct sound on, of energy 1 in it."""
    size = draw.uniform([2.5, 2.5, 2.2], [9, 8, 3.6])
    source, ear = size * draw.uniform(0.1, 0.9, 3), size * draw.uniform(0.1, 0.9, 3)
    reflect = draw.uniform(0.45, 0.92)
    order = 9
    k = np.arange(-order, order + 1)
    offsets = [
        np.where(k % 2 == 0, k * s + p, (k + 1) * s - p) for s, p in zip(size, source, strict=True)
    ]
    dx, dy, dz = np.meshgrid(*[o - e for o, e in zip(offsets, ear, strict=True)], indexing="ij")
    bounces = np.abs(k)[:, None, None] + np.abs(k)[None, :, None] + np.abs(k)[None, None, :]
    far = np.sqrt(dx**2 + dy**2 + dz**2).ravel() + 0.1
    gain = reflect ** bounces.ravel() / far
    direct = np.sqrt(((source - ear) ** 2).sum()) + 0.1
    delay = ((far - direct) / 343 * RATE).round().astype(int)
    keep = (delay >= 0) & (delay < RATE // 2)
    h = np.bincount(delay[keep], weights=gain[keep], minlength=RATE // 2)
    h *= np.exp(-np.arange(len(h)) / RATE * draw.uniform(0, 6))  # the air and soft things
    return (h / max(h[0], 1e-6)).astype(np.float32)


def reverberate(x: np.ndarray, h: np.ndarray) -> np.ndarray:
    return oaconvolve(x, h)[: len(x)].astype(np.float32)


def colour(draw: Draw, x: np.ndarray, most_db: float = 10) -> np.ndarray:
    """Through a microphone of its own: a smooth random gain over frequency."""
    size = fft.next_fast_len(len(x), real=True)
    spectrum = fft.rfft(x, size)
    at = np.log(np.arange(len(spectrum)) / len(spectrum) + 0.005)
    knots = np.linspace(at[0], at[-1], 7)
    gain = np.interp(at, knots, draw.uniform(-most_db, most_db, 7))
    return fft.irfft(spectrum * 10 ** (gain / 20), size)[: len(x)].astype(np.float32)


def telephone(x: np.ndarray) -> np.ndarray:
    """8 kHz and mu-law, as a PCMU track has it."""
    size = fft.next_fast_len(len(x), real=True)
    spectrum = fft.rfft(x, size)
    spectrum[len(spectrum) * 38 // 80 :] = 0
    y = fft.irfft(spectrum, size)[: len(x)].clip(-1, 1)
    code = np.round(np.sign(y) * np.log1p(255 * np.abs(y)) / np.log(256) * 127) / 127
    return (np.sign(code) * (256 ** np.abs(code) - 1) / 255).astype(np.float32)
