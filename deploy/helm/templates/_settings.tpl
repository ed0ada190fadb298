{{- /* All settings of a binary, as JSON: root, key and part. */ -}}
{{- define "feedbackpro.settings" -}}
{{- $given := .root.Values.settings -}}
{{- $settings := deepCopy $given.all -}}
{{- if .root.Values.secrets.kafkaCa.name -}}
{{- $ca := dict "ssl.ca.location" (printf "/etc/feedbackpro/kafka/%s" .root.Values.secrets.kafkaCa.key) -}}
{{- $settings = mergeOverwrite (dict "kafka" (dict "properties" $ca)) $settings -}}
{{- end -}}
{{- if .part.sends -}}
{{- $settings = mergeOverwrite $settings (deepCopy $given.sending) -}}
{{- end -}}
{{- if eq .key "console" -}}
{{- $url := printf "http://%s-dlq-consumer" (include "feedbackpro.name" .root) -}}
{{- $settings = mergeOverwrite $settings (dict "failed" (dict "url" $url)) -}}
{{- end -}}
{{- mergeOverwrite $settings (deepCopy (get $given .key)) | toJson -}}
{{- end }}

{{- /* A table of tables as TOML. Helm's whole numbers may be floats, which the
       binaries refuse. JSON's texts are texts of TOML, too. */ -}}
{{- define "feedbackpro.toml" -}}
{{- range $section, $keys := . }}
[{{ $section }}]
{{- range $key, $value := $keys }}
{{- if not (kindIs "map" $value) }}
{{ $key }} = {{ include "feedbackpro.tomlValue" $value }}
{{- end }}
{{- end }}
{{- range $key, $value := $keys }}
{{- if kindIs "map" $value }}
[{{ $section }}.{{ $key }}]
{{- range $name, $text := $value }}
{{ $name | toJson }} = {{ $text | toJson }}
{{- end }}
{{- end }}
{{- end }}
{{ end }}
{{- end }}

{{- define "feedbackpro.tomlValue" -}}
{{- if kindIs "slice" . -}}
[{{ range $index, $item := . }}{{ if $index }}, {{ end }}{{ include "feedbackpro.tomlValue" $item }}{{ end }}]
{{- else if or (kindIs "string" .) (kindIs "bool" .) -}}
{{ . | toJson }}
{{- else if eq (float64 .) (floor .) -}}
{{ . | int64 }}
{{- else -}}
{{ . | float64 }}
{{- end -}}
{{- end }}

{{- /* The port behind the last colon: root, key, part and section. */ -}}
{{- define "feedbackpro.port" -}}
{{- $settings := include "feedbackpro.settings" . | fromJson -}}
{{- get (get $settings .section) "listen" | regexFind "[0-9]+$" -}}
{{- end }}

{{- /* The brokers' ports, each once, as JSON. */ -}}
{{- define "feedbackpro.brokerPorts" -}}
{{- $ports := list -}}
{{- range splitList "," . -}}
{{- $ports = append $ports (regexFind "[0-9]+$" (trim .) | default "9092" | int) -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end }}
