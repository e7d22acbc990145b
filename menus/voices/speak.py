#!/usr/bin/env python3
"""Speaks one text with the built-in clips' own voice, for a menu's own prompts:

    tonopago prompts render --menu menus/centralita.yaml --command 'target/voice-env/bin/python menus/voices/speak.py {language} {out}'

The text comes on standard input. A text that ends in a comma keeps the voice up, because more follows.
"""

import pathlib
import sys

import render


def main():
    if len(sys.argv) != 3:
        sys.exit("give the language (es-MX or en-US) and the WAV file to write; the text comes on standard input")
    language, out = sys.argv[1], pathlib.Path(sys.argv[2])
    folder = render.HERE / language
    if not (folder / "voice.yaml").is_file():
        sys.exit(f"{language}: no such voice here; there are es-MX and en-US")
    text = sys.stdin.read().strip()
    if not text or text[-1] not in ".,?!":
        sys.exit("end the text with a full stop (last word) or a comma (more follows)")
    entry = render.Entry("own_prompt", text, "standard input")
    out.write_bytes(render.wav(render.render(entry, render.Voice(folder))))


if __name__ == "__main__":
    main()
