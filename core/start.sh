#!/bin/bash
# start.sh [OPTIONS]     runs the node; `deno task start` calls this. OPTIONS are those of main.ts (--help lists them).
#
# Deno's permissions are fixed when a process starts, and the data folder is a setting. So this script asks for the permissions first, then
# becomes the node (exec): signals sent to this process reach the node itself.
root=$(dirname "$(dirname "$(readlink -f "$0")")")

parent() { sed -n 's/^PPid:\s*//p' "/proc/$1/status"; }

# `npx deno task start` puts npm (and a shell, and a wrapper) above Deno. Killed, they leave what is below them running: so the node ends
# with the first of them.
end_with_npm() {
  local above=() pid=$(parent $PPID)
  while [ "${pid:-0}" -gt 1 ]; do
    above+=("$pid")
    if [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == "npm exec"* ]]; then
      for pid in "${above[@]}"; do (tail --pid="$pid" -f /dev/null && kill -TERM $$) </dev/null >/dev/null 2>&1 & done
      return
    fi
    pid=$(parent "$pid")
  done
}

# Which Deno: DENO from the environment, the one that runs the task, or npm's; never npm's wrapper, which does not pass signals on.
deno=$DENO
if [ -z "$deno" ]; then
  deno=$(readlink "/proc/$PPID/exe")
  if [ "$(basename "$deno")" = deno ]; then
    end_with_npm
  else
    deno=$(npx -y deno@2.9.6 eval 'console.log(Deno.execPath())') || exit
  fi
fi

# Deno's own telemetry would report whole addresses, with the secrets of join links and of the set-up in them; the node has its own (--otlp-endpoint).
unset "${!OTEL_@}"

# All that the program in dist/ is made from, and what is made, as the file system tells of it: names, sizes, and when anything was last
# changed (which, unlike the time of writing, nobody can set). It costs a tenth of a start of Deno.
fingerprint() {
  (cd "$root" && find main.ts core islands routes static dist deno.json deno.lock LICENSE -type f ! -name .same -printf '%p %s %i %C@\n' &&
    find node_modules -maxdepth 0 -printf '%p\n') 2>/dev/null | sort
}

# Installs and builds what is missing or older than its sources. A start that finds everything made notes what it looks like: those after it
# need not ask Deno. A finished installation may be read-only.
found=$(fingerprint)
if [ "$found" != "$(cat "$root/dist/.same" 2>/dev/null)" ]; then
  (cd "$root" && "$deno" install --frozen --quiet) || exit
  "$deno" run --frozen --cached-only "--config=$root/deno.json" --no-prompt "--allow-read=$root" \
    "--allow-write=$root/dist,$root/static/dist" --allow-run --allow-env "$root/core/build.ts" >&2 || exit
  if [ "$found" = "$(fingerprint)" ]; then
    echo "$found" 2>/dev/null >"$root/dist/.same.$$" && mv -f "$root/dist/.same.$$" "$root/dist/.same"
  fi
fi

# What is built has all packages in it: Deno need not know of them, and nothing waits for the network.
run=("$deno" run --no-config --no-lock --no-remote --no-npm --unstable-no-legacy-abort)
permissions=$("${run[@]}" --no-prompt --allow-read --ignore-env '--allow-env=KITUO_*' "$root/dist/permissions_command.js" "$@") || exit
mapfile -t permissions <<<"$permissions"
# The space for new objects grows to 48 MB otherwise, and is never given back; with 2 MB a half, nothing that was measured took longer.
exec "${run[@]}" --v8-flags=--max-semi-space-size=2 "${permissions[@]}" "$root/dist/main.js" "$@"
