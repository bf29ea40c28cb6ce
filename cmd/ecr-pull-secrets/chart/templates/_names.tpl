{{- define "name" -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- /* The name of objects that are in no namespace. */ -}}
{{- define "clusterName" -}}
{{ printf "%s-%s" .Release.Namespace (include "name" .) }}
{{- end }}

{{- define "selector" -}}
app.kubernetes.io/name: ecr-pull-secrets
app.kubernetes.io/instance: {{ include "name" . }}
{{- end }}

{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
