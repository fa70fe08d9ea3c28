#!/usr/bin/env bash
# The state of a PBS job in Snakemake's words. Of an ended job only -x tells, if the cluster keeps a
# history; a job that PBS does not know any more counts as failed, one it does not answer for as running.
case $(qstat -xf "$1" 2>&1) in
    *"Exit_status = 0"*) echo success ;;
    *"Exit_status = "* | *"job_state = F"* | *"Unknown Job"*) echo failed ;;
    *) echo running ;;
esac
