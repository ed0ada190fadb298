{{- /* What each user may do, and nothing else. DescribeConfigs is for the check of the
       topics at the start. Only dispatchers join a group. `analytics` only reads
       events, in groups whose names begin so. */ -}}
{{- define "feedbackpro.rights" -}}
producer:
  topics:
    events: [Describe, DescribeConfigs, Write]
dispatcher:
  topics:
    events: [Describe, DescribeConfigs, Read]
    retry: [Describe, DescribeConfigs, Read, Write]
    ready: [Describe, DescribeConfigs, Read, Write]
    resend: [Describe, DescribeConfigs, Read]
    dead_letter: [Describe, DescribeConfigs, Write]
    attempts: [Describe, DescribeConfigs, Write]
    endpoints: [Describe, DescribeConfigs, Read, Write]
  group: {name: dispatcher, pattern: literal}
dlq-consumer:
  topics:
    dead_letter: [Describe, DescribeConfigs, Read, Write]
    resend: [Describe, DescribeConfigs, Write]
    jobs: [Describe, DescribeConfigs, Read, Write]
    audit: [Describe, DescribeConfigs, Write]
    events: [Describe, DescribeConfigs, Read]
  transactionalId: dlq-consumer
console:
  topics:
    endpoints: [Describe, DescribeConfigs, Read, Write]
    audit: [Describe, DescribeConfigs, Read, Write]
analytics:
  topics:
    events: [Describe, Read]
  group: {name: analytics, pattern: prefix}
{{- end }}
