"""The plain OpenAI SDK, guarded by base URL alone.

pip install openai
SORDINO_URL=http://127.0.0.1:8080 SORDINO_KEY=… python agents/examples/openai_by_url.py "My name is Ada Lovelace."
"""

from __future__ import annotations

import os
import sys

from openai import OpenAI


def ask(client: OpenAI, words: str, *, call: str = "example-1") -> str:
    """One question. The model sees placeholders; what comes back has the real values again."""
    answer = client.chat.completions.create(
        model="default",
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": words}],
        extra_headers={"X-Sordino-Call": call},
    )
    return answer.choices[0].message.content or ""


def main() -> None:
    client = OpenAI(base_url=f"{os.environ['SORDINO_URL']}/v1", api_key=os.environ["SORDINO_KEY"])
    sys.stdout.write(ask(client, " ".join(sys.argv[1:])) + "\n")


if __name__ == "__main__":
    main()
