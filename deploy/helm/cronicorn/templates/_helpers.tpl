{{- define "cronicorn.name" -}}
{{- printf "%s-%s" (.root.Release.Name | trunc 40 | trimSuffix "-") .part -}}
{{- end -}}

{{- define "cronicorn.selector" -}}
app.kubernetes.io/name: cronicorn
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "cronicorn.labels" -}}
{{ include "cronicorn.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* One process: a Deployment and what keeps some of it alive. `root`, `part` (its command), `port`, `args`, `values`. */}}
{{- define "cronicorn.process" -}}
{{- $root := .root -}}
{{- $settings := merge (dict) .values.settings $root.Values.settings -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "cronicorn.name" . }}
  labels: {{- include "cronicorn.labels" . | nindent 4 }}
spec:
  replicas: {{ .values.replicas }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels: {{- include "cronicorn.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "cronicorn.labels" . | nindent 8 }}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/path: /metrics
        prometheus.io/port: {{ .port | quote }}
        {{- with $root.Values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false # Such variables would begin with CRONICORN_, too.
      terminationGracePeriodSeconds: 70
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "cronicorn.selector" . | nindent 14 }}
      {{- with $root.Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .part }}
          image: {{ printf "%s:%s" $root.Values.image.repository ($root.Values.image.tag | default $root.Chart.AppVersion) | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: {{- toYaml .args | nindent 12 }}
          ports:
            - {name: http, containerPort: {{ .port }}, protocol: TCP}
          env:
            - name: CRONICORN_DATABASE_URL
              valueFrom:
                secretKeyRef: {name: {{ $root.Values.existingSecret }}, key: database-url}
            - {name: CRONICORN_MASTER_KEY_FILE, value: /run/secrets/cronicorn/master-key}
            {{- if and $root.Values.apiKey (eq .part "api") }}
            - {name: CRONICORN_API_KEY_FILE, value: /run/secrets/cronicorn/api-key}
            {{- end }}
            {{- range $name, $value := $settings }}
            - {name: {{ printf "CRONICORN_%s" $name }}, value: {{ include "cronicorn.text" $value | quote }}}
            {{- end }}
            {{- with $root.Values.extraEnv }}{{ toYaml . | nindent 12 }}{{ end }}
          startupProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 2
            failureThreshold: 150 # The first process to come brings the tables up to date.
          livenessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 5
            timeoutSeconds: 3
          resources: {{- toYaml .values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: secrets, mountPath: /run/secrets/cronicorn, readOnly: true}
            - {name: tmp, mountPath: /tmp}
      volumes:
        - name: secrets
          secret:
            secretName: {{ $root.Values.existingSecret }}
            defaultMode: 0440
            items:
              - {key: master-key, path: master-key}
              {{- if and $root.Values.apiKey (eq .part "api") }}
              - {key: api-key, path: api-key}
              {{- end }}
        - name: tmp
          emptyDir: {}
{{- if gt (int .values.replicas) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "cronicorn.name" . }}
  labels: {{- include "cronicorn.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "cronicorn.selector" . | nindent 6 }}
{{- end }}
{{- end -}}

{{- /* A number of a values file is a float to Helm, which writes a million as 1e+06. */ -}}
{{- define "cronicorn.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ printf "%.0f" . }}{{ else }}{{ toString . }}{{ end }}
{{- end }}
