{{- /* What each user may do, and nothing else. Read and Write bring Describe.
       DescribeConfigs is for the check of the topics at the start. Only dispatchers
       join a group; whoever reads a table looks for the coordinator of one, whose name
       begins with `tables`. `analytics` only reads events, in groups whose names begin
       so. */ -}}
{{- define "feedbackpro.rights" -}}
producer:
  topics:
    events: [DescribeConfigs, Write]
dispatcher:
  topics:
    events: [DescribeConfigs, Read]
    retry: [DescribeConfigs, Read, Write]
    ready: [DescribeConfigs, Read, Write]
    resend: [DescribeConfigs, Read]
    dead_letter: [DescribeConfigs, Write]
    attempts: [DescribeConfigs, Write]
    endpoints: [DescribeConfigs, Read, Write]
    audit: [DescribeConfigs, Write]
  group: {name: dispatcher, pattern: literal}
  tables: dispatcher.
dlq-consumer:
  topics:
    dead_letter: [DescribeConfigs, Read, Write]
    resend: [DescribeConfigs, Write]
    jobs: [DescribeConfigs, Read, Write]
    audit: [DescribeConfigs, Write]
    events: [Read]
  tables: dlq-consumer.
  transactionalId: dlq-consumer
console:
  topics:
    endpoints: [DescribeConfigs, Read, Write]
    audit: [DescribeConfigs, Read, Write]
    attempts: [DescribeConfigs, Read]
    events: [Read]
  tables: console.
analytics:
  topics:
    events: [Read]
  group: {name: analytics, pattern: prefix}
{{- end }}
