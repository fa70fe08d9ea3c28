#!/usr/bin/env bash
# Starts a Kubernetes job for a script of Snakemake and prints the job's name. Usage:
# submit.sh IMAGE VOLUME MOUNTED_AT CORES MEMORY_MB MINUTES GPUS SCRIPT
set -euo pipefail
kubectl create -o name -f - <<END
apiVersion: batch/v1
kind: Job
metadata:
  generateName: atomsight-
spec:
  backoffLimit: 0
  ttlSecondsAfterFinished: 86400
  template:
    spec:
      restartPolicy: Never
      activeDeadlineSeconds: $(($6 * 60))
      containers:
        - name: job
          image: "$1"
          command: ["/bin/sh", "$(cd "$(dirname "$0")" && pwd)/job.sh", "$8"]
          workingDir: "$PWD"
          resources:
            requests: {cpu: "$4", memory: "${5}M"}
            limits: {memory: "${5}M", nvidia.com/gpu: "$7"}
          volumeMounts: [{name: shared, mountPath: "$3"}]
      volumes:
        - name: shared
          persistentVolumeClaim: {claimName: "$2"}
END
