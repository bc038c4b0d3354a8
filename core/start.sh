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

# --cached-only: all dependencies are here after this, so that a start never waits for the network.
(cd "$root" && "$deno" install --frozen --quiet) || exit
run=("$deno" run --frozen --cached-only "--config=$root/deno.json")
# The console's files: made when they are missing or older than their sources; a finished installation may be read-only.
"${run[@]}" --no-prompt "--allow-read=$root" "--allow-write=$root/static/dist" "--allow-run" --allow-env "$root/core/build.ts" >&2 &
building=$!
permissions=$("${run[@]}" --no-prompt --allow-read --ignore-env '--allow-env=KITUO_*' "$root/core/permissions_command.ts" "$@") || exit
wait $building || exit
mapfile -t permissions <<<"$permissions"
exec "${run[@]}" "${permissions[@]}" "$root/main.ts" "$@"
