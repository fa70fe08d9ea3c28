#!/usr/bin/env bash
# Cancels Kubernetes jobs.
exec kubectl delete --wait=false "$@"
