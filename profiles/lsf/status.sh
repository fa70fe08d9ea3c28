#!/usr/bin/env bash
# The state of an LSF job in Snakemake's words; a job that LSF does not know any more counts as failed,
# one it does not answer for as running.
case $(bjobs -noheader -o stat "$1" 2>&1) in
    DONE) echo success ;;
    EXIT | *"is not found"*) echo failed ;;
    *) echo running ;;
esac
