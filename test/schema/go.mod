module ecr-cross-account-credential-provider/test/schema

go 1.26.8

require (
	ecr-cross-account-credential-provider v0.0.0
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3
	go.yaml.in/yaml/v3 v3.0.6
)

require golang.org/x/text v0.44.0 // indirect

replace ecr-cross-account-credential-provider => ../..
