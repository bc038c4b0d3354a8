#!/bin/bash
# reaper.sh PREFIX SUBNET     owns one private network: nobody else uses PREFIX and 10.SUBNET.0.0/24 while it lives.
#
# It removes what a dead run left under the same name, prints the network's new temporary folder, then waits until its standard input
# ends and removes everything again. The end of the test process ends that input, whatever the reason, so that nothing survives
# a crash. Status 3: the name or the addresses are taken.
trap '' INT TERM HUP # a Ctrl-C ends the tests; this process then still has its work to do
prefix=$1 subnet=$2 folder=${TMPDIR:-/tmp}/kituo-$1

mkdir -p /run/kituo-networks
exec 9>"/run/kituo-networks/$prefix"
flock -n 9 || exit 3

namespaces() { ip netns list | sed -nE "s/^($prefix-([0-9]+|sw))( .*)?$/\1/p"; }
pids() { for namespace in $(namespaces); do ip netns pids "$namespace"; done; }
sweep() {
  for _ in $(seq 50); do
    running=$(pids)
    [ -z "$running" ] && break
    kill -KILL $running 2>/dev/null
    sleep 0.05
  done
  for namespace in $(namespaces); do ip netns del "$namespace"; done
  ip link del "r-$prefix" 2>/dev/null
}

sweep
rm -rf "$folder".*
[ -z "$(ip -4 route show root "10.$subnet.0.0/16")" ] || exit 3
mine=$(mktemp -d "$folder.XXXXXX") || exit 1
chmod 755 "$mine"
echo "$mine"
exec >/dev/null # its end tells the tests that all is ready
cat
sweep
[ -n "$KITUO_KEEP" ] || rm -rf "$mine"
exit 0
