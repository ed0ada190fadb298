{{- /* The pod of a binary: root, key, part and binary. */ -}}
{{- define "feedbackpro.pod" -}}
{{- $values := get .root.Values .key -}}
{{- $secrets := .root.Values.secrets -}}
{{- $name := include "feedbackpro.name" .root -}}
{{- $user := $values.kafkaUser -}}
metadata:
  labels:
    {{- include "feedbackpro.labels" . | nindent 4 }}
  annotations:
    # Other settings are other pods. Tokens are read again without that.
    checksum/settings: {{ include "feedbackpro.settings" . | sha256sum }}
    {{- with $values.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ $name }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .part.stop }}
  {{- with .root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- if ne .key "dlqConsumer" }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "feedbackpro.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ .binary }}
      image: {{ include "feedbackpro.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      command:
        - /usr/local/bin/{{ .binary }}
      args:
        - --config=/etc/feedbackpro/settings/settings.toml
        {{- if .part.serves }}
        - --config=/etc/feedbackpro/tokens/{{ $secrets.tokens.key }}
        {{- end }}
        {{- if .part.seals }}
        - --config=/etc/feedbackpro/sealing-keys/{{ $secrets.sealingKeys.key }}
        {{- end }}
      {{- if or $user.name $values.env }}
      env:
        {{- if $user.name }}
        - name: FEEDBACKPRO__KAFKA__PROPERTIES__SASL_USERNAME
          value: {{ $user.name | quote }}
        - name: FEEDBACKPRO__KAFKA__PROPERTIES__SASL_PASSWORD
          valueFrom:
            secretKeyRef:
              name: {{ required (printf "%s.kafkaUser.passwordSecret is needed beside its name" .key) $user.passwordSecret }}
              key: {{ $user.passwordKey }}
        {{- end }}
        {{- with $values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      ports:
        {{- if .part.serves }}
        - name: http
          containerPort: {{ include "feedbackpro.port" (merge (dict "section" "http") .) }}
        {{- end }}
        - name: admin
          containerPort: {{ include "feedbackpro.port" (merge (dict "section" "admin") .) }}
      readinessProbe:
        httpGet:
          path: /readyz
          port: admin
        periodSeconds: 5
        timeoutSeconds: 2
      livenessProbe:
        httpGet:
          path: /livez
          port: admin
        periodSeconds: 10
        timeoutSeconds: 5
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      volumeMounts:
        - name: settings
          mountPath: /etc/feedbackpro/settings
          readOnly: true
        {{- if .part.serves }}
        - name: tokens
          mountPath: /etc/feedbackpro/tokens
          readOnly: true
        {{- end }}
        {{- if .part.seals }}
        - name: sealing-keys
          mountPath: /etc/feedbackpro/sealing-keys
          readOnly: true
        {{- end }}
        {{- if $secrets.kafkaCa.name }}
        - name: kafka-ca
          mountPath: /etc/feedbackpro/kafka
          readOnly: true
        {{- end }}
        {{- if .part.index }}
        - name: index
          mountPath: {{ dir (get .root.Values.settings .key).index.path }}
        {{- end }}
        {{- with $values.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: settings
      configMap:
        name: {{ $name }}-{{ .binary }}
    {{- if .part.serves }}
    - name: tokens
      secret:
        secretName: {{ required "secrets.tokens.name is needed: a Secret with [[auth.tokens]]" $secrets.tokens.name }}
    {{- end }}
    {{- if .part.seals }}
    - name: sealing-keys
      secret:
        secretName: {{ required "secrets.sealingKeys.name is needed: a Secret with [[secrets.keys]]" $secrets.sealingKeys.name }}
    {{- end }}
    {{- if $secrets.kafkaCa.name }}
    - name: kafka-ca
      secret:
        secretName: {{ $secrets.kafkaCa.name }}
    {{- end }}
    {{- with .part.index }}
    - name: index
      {{- toYaml (get $values "volume" | default (dict "emptyDir" (dict "sizeLimit" .))) | nindent 6 }}
    {{- end }}
    {{- with $values.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
