"""A program of mien in a process of its own, driven line by line (bench/*_server.cpp)."""

import json
import os
import subprocess


class Server:
    def __init__(self, program, *arguments, threads):
        self.name = os.path.basename(program)
        env = dict(os.environ, MIEN_NUM_THREADS=str(threads))
        self.process = subprocess.Popen([program, *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=env)
        self.facts = json.loads(self.ask("facts"))

    def ask(self, line):
        """The answer to a line, another line."""
        print(line, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name} ended")
        return answer
