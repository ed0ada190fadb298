{{- /* How each topic must be set up: domain/src/topics.rs. Days are kept;
       0 is compacted. `large` topics carry deliveries, whose headers add to the event. */ -}}
{{- define "feedbackpro.topics" -}}
{{- $all := .Values.settings.all -}}
events: {default: feedback.events, partitions: 6, days: 30}
ready: {default: webhooks.ready, partitions: 24, days: 7, large: true}
resend: {default: webhooks.resend, partitions: 6, days: 7, large: true}
dead_letter: {default: webhooks.dead-letter, partitions: 1, days: 0, tombstones: 7, large: true}
attempts: {default: webhooks.attempts, partitions: 6, days: 7}
audit: {default: webhooks.audit, partitions: 6, days: 365}
jobs: {default: webhooks.jobs, partitions: 1, days: 0}
endpoints: {default: webhooks.endpoints, partitions: 1, days: 0}
{{- range uniq .Values.settings.sending.retry.schedule }}
retry.{{ . }}: {tier: {{ . }}, partitions: 6, days: 7, large: true}
{{- end }}
{{- end }}

{{- /* The full name of one of these: root, key and topic. */ -}}
{{- define "feedbackpro.topicName" -}}
{{- if .topic.tier -}}
{{ include "feedbackpro.topic" (dict "root" .root "key" "retry" "default" "webhooks.retry") }}.{{ .topic.tier }}
{{- else -}}
{{ include "feedbackpro.topic" (dict "root" .root "key" .key "default" .topic.default) }}
{{- end -}}
{{- end }}
