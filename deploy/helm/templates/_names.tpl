{{- define "feedbackpro.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "feedbackpro.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}
{{- else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- /* Of a part of the release: root and binary. */ -}}
{{- define "feedbackpro.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .binary }}
{{- end }}

{{- define "feedbackpro.labels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .binary }}
app.kubernetes.io/component: {{ . }}
{{- end }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- /* What differs between the binaries. `stop` is longer than a clean stop takes:
       a dispatcher drains for 8 s, producer and console answer on for 5 s. `index` is how large its file can become. */ -}}
{{- define "feedbackpro.binaries" -}}
dispatcher: {binary: dispatcher, stop: 20, sends: true, serves: false, seals: true}
producer: {binary: producer, stop: 15, sends: false, serves: true, seals: false}
dlqConsumer: {binary: dlq-consumer, stop: 15, sends: false, serves: true, seals: false, index: 4Gi}
console: {binary: console, stop: 15, sends: true, serves: true, seals: true, index: 2Gi}
{{- end }}

{{- /* The name of a topic: root, key and default. */ -}}
{{- define "feedbackpro.topic" -}}
{{- $all := .root.Values.settings.all -}}
{{ $all.kafka.prefix }}{{ get $all.topics.names .key | default .default }}
{{- end }}
