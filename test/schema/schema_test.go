// Package schema_test proves that the JSON schema of the configuration agrees with
// config.Load. Both accept every good fixture and every example. The schema rejects
// every bad fixture, except those that are marked because no schema can reject them.
package schema_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/config"
)

// blind marks a bad fixture whose problems no schema can find.
const blind = "# schema: accepts this"

func TestSchemaAgreesWithLoad(t *testing.T) {
	t.Parallel()
	schema := compile(t)
	for _, name := range files(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text := string(data)
			wantLoad := !strings.HasSuffix(name, ".bad.yaml")
			wantSchema := wantLoad || strings.Contains(text, "\n"+blind)
			_, loadErr := config.Source{Path: "c.yaml", Reader: strings.NewReader(text)}.Load(nil)
			if (loadErr == nil) != wantLoad {
				t.Errorf("config.Load has the error %v; want it to accept the file: %t", loadErr, wantLoad)
			}
			document, err := decode(text)
			if err == nil {
				err = schema.Validate(document)
			}
			if (err == nil) != wantSchema {
				t.Errorf("the schema has the error %v; want it to accept the file: %t", err, wantSchema)
			}
			checkPlaces(t, document, err, loadErr)
		})
	}
}

// checkPlaces checks that config.Load has a problem at or near each place that the
// schema rejects.
func checkPlaces(t *testing.T, document any, schemaErr, loadErr error) {
	t.Helper()
	var invalid *jsonschema.ValidationError
	var problems config.Problems
	if !errors.As(schemaErr, &invalid) || !errors.As(loadErr, &problems) {
		return
	}
	for _, path := range places(document, invalid) {
		if !slices.ContainsFunc(problems, func(p config.Problem) bool {
			return strings.HasPrefix(p.Path, path) || strings.HasPrefix(path, p.Path)
		}) {
			t.Errorf("the schema rejects %s; config.Load has no problem there", path)
		}
	}
}

// places returns the paths of the innermost errors.
func places(document any, err *jsonschema.ValidationError) (paths []string) {
	for _, cause := range err.Causes {
		paths = append(paths, places(document, cause)...)
	}
	if len(err.Causes) > 0 {
		return paths
	}
	path := ""
	for _, name := range err.InstanceLocation {
		if list, ok := document.([]any); ok {
			i, _ := strconv.Atoi(name) // the validator's own index
			path, document = path+"["+name+"]", list[i]
			continue
		}
		path, document = strings.TrimPrefix(path+"."+name, "."), document.(map[string]any)[name]
	}
	return []string{path}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertVocabs()
	schema, err := compiler.Compile("../../config-examples/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if schema.DraftVersion != 2020 {
		t.Errorf("got a schema of draft %d, want 2020", schema.DraftVersion)
	}
	return schema
}

func files(t *testing.T) (names []string) {
	t.Helper()
	for _, pattern := range []string{"../../pkg/config/testdata/*.good.yaml", "../../pkg/config/testdata/*.bad.yaml", "../../config-examples/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) < 5 {
			t.Fatalf("%s: %d files, %v, want at least 5", pattern, len(found), err)
		}
		names = append(names, found...)
	}
	return names
}

// decode returns the only YAML document in the form of JSON: the keys are strings.
func decode(text string) (any, error) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return plain(document), nil
}

func plain(value any) any {
	switch v := value.(type) {
	case time.Time:
		return v.Format(time.RFC3339)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	case map[any]any:
		object := map[string]any{}
		for key, item := range v {
			object[fmt.Sprint(key)] = plain(item)
		}
		return object
	}
	return value
}
