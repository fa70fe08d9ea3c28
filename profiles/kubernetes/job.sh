#!/bin/sh
# Runs a script of Snakemake in a pod, and hands on the wish to stop: a shell that is the first process of
# a pod does not by itself, and a training would be killed without its last checkpoint.
setsid /bin/sh "$1" &
trap 'kill -TERM -$!' TERM
wait $!
code=$?
# A wait ends with the wish to stop; the script ends later.
while kill -0 $! 2>/dev/null; do
    wait $!
    code=$?
done
exit $code
