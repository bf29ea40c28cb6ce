package registry

// API is the ECR API that issues the tokens for a registry. All registries of a
// region whose hosts have the same form share one API, whatever their account.
type API struct {
	Region    Region `json:"region"`
	FIPS      bool   `json:"fips,omitempty"`
	DualStack bool   `json:"dualStack,omitempty"`
	// Public selects the API of ECR Public, which is in us-east-1 only.
	Public bool `json:"public,omitempty"`
}

// publicRegion is the region of ECR Public's API.
var publicRegion = mustRegion("us-east-1")

func mustRegion(name string) Region {
	region, err := ParseRegion(name)
	if err != nil {
		panic(err)
	}
	return region
}

// API returns the API that issues the registry's tokens. It is FIPS or dual-stack
// if the registry's host is.
func (r Registry) API() API {
	if r.public {
		return API{Region: publicRegion, Public: true}
	}
	return API{Region: r.region, FIPS: r.fips, DualStack: r.dualStack}
}

// MarshalText returns the region's name.
func (r Region) MarshalText() ([]byte, error) { return []byte(r.name), nil }
