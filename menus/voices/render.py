#!/usr/bin/env python3
"""Renders the spoken clips: texts in, small 8 kHz G.711 mu-law WAV files out. Needed only when a text changes.

    make prompts                # render what changed
    render.py --all             # render everything
    render.py --check           # render everything to memory and compare, write nothing

Each folder beside this script is a voice: `voice.yaml` says how it sounds, `prompts.yaml` and `numbers.yaml` say what
it says, `<id>.wav` is the clip and `manifest.yaml` remembers what each clip was made from, so that a stale one is
found.
The same texts and settings give the same bytes: each text is spoken by a fresh process with zeroed memory (Pico reads
memory it has not written), and after it everything is integers or plain double arithmetic.
"""

import argparse
import json
import math
import os
import pathlib
import re
import struct
import subprocess
import sys

import numpy as np
import yaml

HERE = pathlib.Path(__file__).resolve().parent
RATE = 8000  # Hz, the telephone's
SYNTHESIS_RATE = 16000  # Hz, Pico's
LEVEL_DBM0 = -16.0  # active speech level; a full-scale sine is +3.14 dBm0
FULL_SCALE_SINE_DBM0 = 3.14
PEAK_LIMIT = 30000  # of 32768: no sample of a clip may be larger
TRIM_DB = 42.0  # quieter than this below the loudest 20 ms is silence
PAUSE_DB = 34.0  # quieter than this below the loudest 20 ms is a pause between words
ONSET_DB = 54.0  # quieter than this is silence before the first word: the burst of a p is faint
LEAD_MS, TAIL_MS = 10, 20  # silence kept around the speech
FADE_IN_MS, FADE_OUT_MS = 3, 8


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--all", action="store_true", help="render every clip, also those that are current")
    arguments.add_argument("--check", action="store_true", help="compare with the files, write nothing")
    options = arguments.parse_args()
    voices = {folder.name: Voice(folder) for folder in sorted(HERE.iterdir()) if (folder / "voice.yaml").is_file()}
    differing = sum(render_voice(voice, voices, options) for voice in voices.values())
    if options.check and differing:
        sys.exit(f"{differing} clips differ from their texts: run `make prompts` and commit the result")


def render_voice(voice, voices, options):
    """Renders one folder; returns how many clips were new or different."""
    manifest, changed, total = {}, 0, 0
    for number, entry in enumerate(voice.entries, 1):
        speaker = voices[entry.language or voice.name]
        source = fnv1a(speaker.settings + f"\n{entry.spoken}\n{entry.pitch}".encode())
        path = voice.folder / f"{entry.id}.wav"
        known = voice.manifest.get(entry.id, {})
        current = path.read_bytes() if path.is_file() else b""
        if options.all or options.check or known.get("source") != source or known.get("audio") != fnv1a(current):
            if sys.stderr.isatty():
                show(f"\r\x1b[K{voice.name} {number}/{len(voice.entries)} {entry.id}")
            clip = wav(render(entry, speaker))
            changed += clip != current
            if not options.check:
                path.write_bytes(clip)
            current = clip
        manifest[entry.id] = {"source": source, "audio": fnv1a(current)}
        total += len(current)
    orphans = [path for path in voice.folder.glob("*.wav") if path.stem not in manifest]
    if not options.check:
        for path in orphans:
            path.unlink()
        write_manifest(voice, manifest)
    show("\r\x1b[K" * sys.stderr.isatty())
    show(f"{voice.name}: {len(manifest)} clips, {total} bytes, {changed} changed, {len(orphans)} without a text\n")
    return changed + len(orphans)


class Entry:
    """One clip's text. `say` overrides how it is pronounced, `language` which folder's voice speaks it, and `pitch`, in
    per cent, moves the voice's: a test finds the rare clip in which the detector hears a key."""

    def __init__(self, identifier, value, file):
        fields = value if isinstance(value, dict) else {"text": value}
        unknown = set(fields) - {"text", "say", "language", "pitch"}
        if unknown or not isinstance(fields.get("text"), str) or not re.fullmatch(r"[a-z0-9_]+", str(identifier)):
            sys.exit(f"{file}: {identifier!r} must be a lower-case id with a text, or with text, say, language and pitch")
        self.id, self.text, self.language = identifier, fields["text"], fields.get("language")
        self.spoken, self.pitch = fields.get("say", self.text), fields.get("pitch", 100)
        if self.spoken[-1] not in ".,?!":
            sys.exit(f"{file}: {identifier}: end the text with a full stop (last word) or a comma (more follows)")


class Voice:
    """One folder: its settings and texts, and what its clips were made from."""

    def __init__(self, folder):
        self.folder, self.name = folder, folder.name
        self.settings = (folder / "voice.yaml").read_bytes()
        values = yaml.safe_load(self.settings)
        self.engine_voice, self.seseo = values["voice"], values["seseo"]
        self.speed, self.pitch, self.follower = values["speed"], values["pitch"], values["follower"]
        manifest = folder / "manifest.yaml"
        self.manifest = yaml.safe_load(manifest.read_text()) if manifest.is_file() else {}
        self.entries = [
            Entry(identifier, value, name)
            for name in ("prompts.yaml", "numbers.yaml")
            if (folder / name).is_file()
            for identifier, value in yaml.safe_load((folder / name).read_text()).items()
        ]


def render(entry, voice):
    """One clip as 16-bit samples at 8 kHz."""
    text = seseo(entry.spoken) if voice.seseo else entry.spoken
    goes_on = text.endswith(",")
    pitch = voice.pitch * entry.pitch / 100
    samples = synthesize(f"{text} {voice.follower}." if goes_on else text, voice, pitch)
    if goes_on:
        samples = before_the_last_pause(samples, entry.id)
    samples = shorten_pauses(trim(resample(samples)))
    return fade(normalize(samples, entry.id))


def synthesize(text, voice, pitch):
    """16-bit samples at 16 kHz as 64-bit integers, not clipped: Pico's peaks reach full scale at volume 1."""
    for volume in (0.5, 0.35, 0.25):
        samples = np.frombuffer(speak(text, voice, pitch, volume), dtype="<i2").astype(np.int64)
        if np.abs(samples).max() < 32700:
            return samples
    sys.exit(f"{text!r} clips at every volume tried")


def speak(text, voice, pitch, volume):
    """Pico's bytes from a process of its own: what was spoken before would change them."""
    settings = {"voice": voice.engine_voice, "speed": voice.speed, "pitch": pitch, "volume": volume}
    return subprocess.run(
        [sys.executable, "-c", SPEAKER],
        input=json.dumps({"text": text} | settings).encode(),
        env=os.environ | {"MALLOC_PERTURB_": "255"},  # glibc then fills what malloc returns with the complement, zero
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


SPEAKER = """
import json, sys, py_nanotts
sys.stdout.buffer.write(py_nanotts.NanoTTS().speak(**json.load(sys.stdin)))
"""


def seseo(text):
    """Respells Castilian so that Pico speaks it as in Mexico: c before e and i, and z, are s."""
    text = re.sub(r"\b(\w*[aeiou]\w*?)([aeiou])z\b", lambda m: m[1] + m[2].translate(ACUTE) + "s", text)
    text = re.sub(r"s?c([eiéí])", r"s\1", text)
    text = re.sub(r"S?C([eiéí])", r"S\1", text)
    return text.replace("z", "s").replace("Z", "S")


ACUTE = str.maketrans("aeiou", "áéíóú")


def before_the_last_pause(samples, identifier):
    """What was said before the comma's pause; the word after it only gave the intonation."""
    pauses = runs(~loud_frames(samples, SYNTHESIS_RATE, PAUSE_DB))[1:-1]
    long = [(start, end) for start, end in pauses if end - start >= 24]
    if not long:
        sys.exit(f"{identifier}: no pause of 120 ms after the comma")
    return samples[: sum(long[-1]) // 2 * SYNTHESIS_RATE // 200]


def resample(samples):
    """16 kHz to 8 kHz: a low-pass of 3.4 kHz with integer coefficients, then every other sample."""
    taps = np.arange(-64, 65)
    cutoff = 2 * 3650 / SYNTHESIS_RATE
    kernel = np.round(cutoff * np.sinc(cutoff * taps) * np.kaiser(129, 8.0) * 32768).astype(np.int64)
    return (np.convolve(samples, kernel, "same") >> 15)[::2]


def trim(samples):
    """Cuts the silence at both ends, but for a breath, and the faint burst with which Pico ends half a second later."""
    words = runs(loud_frames(samples, RATE, TRIM_DB))
    energies = frame_energies(samples, RATE // 200)
    audible = energies.max() / 10 ** (PAUSE_DB / 10)
    while len(words) > 1 and words[-1][0] - words[-2][1] >= 20 and energies[slice(*words[-1])].max() < audible:
        words.pop()
    onset = runs(energies >= energies.max() / 10 ** (ONSET_DB / 10))[0][0]
    start = max(0, onset * RATE // 200 - LEAD_MS * RATE // 1000)
    end = words[-1][1] * RATE // 200 + TAIL_MS * RATE // 1000
    return samples[start:end]


def shorten_pauses(samples):
    """A caller waits through every pause: what a pause has beyond 150 ms is cut to two fifths."""
    kept, at = [], 0
    for start, end in runs(~loud_frames(samples, RATE, TRIM_DB)):
        surplus = max(0, end - start - 30) * 3 // 5
        cut = ((start + end - surplus) // 2) * RATE // 200
        kept.append(samples[at:cut])
        at = cut + surplus * RATE // 200
    return np.concatenate(kept + [samples[at:]])


def loud_frames(samples, rate, below_db):
    """For each 5 ms, whether the 20 ms around it are louder than so much below the loudest 20 ms."""
    energies = np.convolve(frame_energies(samples, rate // 200), [1, 1, 1, 1], "same")
    return energies >= energies.max() / 10 ** (below_db / 10)


def runs(flags):
    """Start and end of every stretch that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist()))


def normalize(samples, identifier):
    """To the active speech level, as far as the peak allows."""
    gain = 10 ** ((LEVEL_DBM0 - active_speech_level(samples)) / 20)
    largest = PEAK_LIMIT / int(np.abs(samples).max())
    if gain > largest:
        show(f"{identifier}: {20 * math.log10(gain / largest):.1f} dB below the level, for its peaks\n")
        gain = largest
    return (samples * round(gain * 4096)) >> 12


def active_speech_level(samples):
    """Active speech level in dBm0, method B of ITU-T P.56: 30 ms envelope, 200 ms hangover, 15.9 dB margin."""
    smoothing, hangover = math.exp(-1 / (0.03 * RATE)), RATE // 5
    thresholds = [2.0 ** exponent for exponent in range(15)]
    active, hung = [0] * 15, [hangover] * 15
    energy, first, envelope = 0.0, 0.0, 0.0
    for sample in samples.tolist():
        energy += sample * sample
        first = smoothing * first + (1 - smoothing) * abs(sample)
        envelope = smoothing * envelope + (1 - smoothing) * first
        for index, threshold in enumerate(thresholds):
            if envelope >= threshold:
                active[index], hung[index] = active[index] + 1, 0
            elif hung[index] < hangover:
                active[index], hung[index] = active[index] + 1, hung[index] + 1
            else:
                break
    levels = [(10 * math.log10(energy / count), 20 * math.log10(c)) for count, c in zip(active, thresholds) if count]
    return margin_crossing(levels) - 10 * math.log10(32768**2 / 2) + FULL_SCALE_SINE_DBM0


def margin_crossing(levels):
    """The level where it stands 15.9 dB above its threshold, between the two thresholds around that point."""
    previous = levels[0]
    for level in levels:
        if level[0] - level[1] <= 15.9:
            (above, below) = (previous[0] - previous[1], level[0] - level[1])
            share = (above - 15.9) / (above - below) if above > below else 0.0
            return previous[0] + share * (level[0] - previous[0])
        previous = level
    return previous[0]


def fade(samples):
    """Starts and ends at zero, so that clips join without a click."""
    faded = samples.copy()
    for index in range(FADE_IN_MS * RATE // 1000):
        faded[index] = faded[index] * index // (FADE_IN_MS * RATE // 1000)
    for index in range(FADE_OUT_MS * RATE // 1000):
        faded[-1 - index] = faded[-1 - index] * index // (FADE_OUT_MS * RATE // 1000)
    return faded


def wav(samples):
    """A mu-law WAV file: format 7, with the extension size and fact chunk that non-PCM formats carry."""
    data = bytes(mulaw(sample) for sample in samples.tolist())
    form = struct.pack("<HHIIHHH", 7, 1, RATE, RATE, 1, 8, 0)
    pad = b"\0" * (len(data) % 2)
    chunks = chunk(b"fmt ", form) + chunk(b"fact", struct.pack("<I", len(data))) + chunk(b"data", data) + pad
    return chunk(b"RIFF", b"WAVE" + chunks)


def chunk(name, body):
    return name + struct.pack("<I", len(body)) + body


def mulaw(sample):
    """ITU-T G.711 mu-law octet of a 16-bit sample."""
    sign = 0x80 if sample < 0 else 0
    biased = min(abs(sample), 32635) + 132
    segment = biased.bit_length() - 8
    return ~(sign | segment << 4 | (biased >> (segment + 3)) & 0x0F) & 0xFF


def frame_energies(samples, frame):
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    return (whole * whole).sum(axis=1)


def fnv1a(data):
    """64-bit FNV-1a in hexadecimal: not for security, only to see that a text or a file changed."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def write_manifest(voice, manifest):
    lines = ["# What each clip was made from (settings and text) and its bytes, FNV-1a. Written by render.py."]
    for name, hashes in manifest.items():
        lines.append(f'{name}: {{ source: "{hashes["source"]}", audio: "{hashes["audio"]}" }}')
    (voice.folder / "manifest.yaml").write_text("\n".join(lines) + "\n")


def show(text):
    sys.stderr.write(text)


if __name__ == "__main__":
    main()
