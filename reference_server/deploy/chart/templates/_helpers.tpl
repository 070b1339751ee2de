{{- define "redcore.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "redcore.labels" -}}
app.kubernetes.io/name: redcore
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "redcore.postgres" -}}
{{ .Values.postgres.name | default (printf "%s-postgres" .Release.Name) }}
{{- end }}

{{- define "redcore.environment" -}}
- {name: REDCORE_SERVER_DATABASE_URL_FILE, value: /run/secrets/redcore/database-url}
- {name: REDCORE_SERVER_REDIS_URL_FILE, value: /run/secrets/redcore/redis-url}
- {name: REDCORE_SERVER_S3_SECRET_ACCESS_KEY_FILE, value: /run/secrets/redcore/s3-secret-access-key}
- {name: REDCORE_SERVER_S3_ACCESS_KEY_ID, value: {{ .Values.objects.accessKeyId | quote }}}
- {name: REDCORE_SERVER_S3_REGION, value: {{ .Values.objects.region | quote }}}
- {name: REDCORE_SERVER_S3_ENDPOINT, value: {{ .Values.objects.endpoint | quote }}}
- {name: REDCORE_SERVER_OBJECTS_URL, value: {{ .Values.objects.url | quote }}}
- {name: REDCORE_SERVER_PUBLIC_URL, value: {{ .Values.publicUrl | quote }}}
- {name: REDCORE_SERVER_TRUSTED_PROXIES, value: {{ .Values.trustedProxies | quote }}}
- {name: REDCORE_SERVER_DATABASE_CONNECTIONS, value: {{ .Values.databaseConnections | quote }}}
- {name: REDCORE_SERVER_START_SECONDS, value: "120"}
- {name: REDCORE_SERVER_MIGRATE_AT_START, value: "false"}
- {name: REDCORE_SERVER_STOP_NOTICE_SECONDS, value: {{ .Values.stopNoticeSeconds | quote }}}
{{- end }}

{{- define "redcore.container" -}}
image: {{ include "redcore.image" .root | quote }}
imagePullPolicy: Always
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: 10001
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
resources: {{- toYaml (get .root.Values.resources .role) | nindent 2 }}
volumeMounts:
  - {name: secrets, mountPath: /run/secrets/redcore, readOnly: true}
  - {name: data, mountPath: /data}
  - {name: scratch, mountPath: /tmp}
{{- end }}

{{- define "redcore.pod" -}}
automountServiceAccountToken: false
securityContext: {runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
terminationGracePeriodSeconds: {{ .Values.graceSeconds }}
volumes:
  - {name: secrets, secret: {secretName: {{ .Values.secretName | quote }}, defaultMode: 0440}}
  - {name: data, emptyDir: {sizeLimit: 1Gi}}
  - {name: scratch, emptyDir: {sizeLimit: 5Gi}}   # exports, and archives that are published
{{- end }}
