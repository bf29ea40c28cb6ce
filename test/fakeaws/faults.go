package fakeaws

import (
	"net/http"
	"slices"
)

// NamedFault is a fault in the table that all fault tests share.
type NamedFault struct {
	Name  string
	Fault Fault
	// Refuses is true if AWS denies the request. Then no older token may be used.
	Refuses bool
	// Of are the services that can have the fault. Nil means all.
	Of []Service
}

// LeakMark is part of some useless answers. No message may repeat it.
const LeakMark = "LEAKED"

// Faults returns the table of faults. Only "throttled 99 times" ends by itself.
func Faults() []NamedFault {
	return slices.Concat(brokenConnections(), uselessAnswers(), apiErrors())
}

// FaultsOf returns the faults that a service can have.
func FaultsOf(service Service) []NamedFault {
	return slices.DeleteFunc(Faults(), func(f NamedFault) bool { return f.Of != nil && !slices.Contains(f.Of, service) })
}

// FaultNamed returns the fault with a name. It reports false if there is none.
func FaultNamed(name string) (Fault, bool) {
	table := Faults()
	i := slices.IndexFunc(table, func(f NamedFault) bool { return f.Name == name })
	if i < 0 {
		return Fault{}, false
	}
	return table[i].Fault, true
}

func brokenConnections() []NamedFault {
	var faults []NamedFault
	for _, kind := range []FaultKind{
		Refuse, BlackHole, HangAccept, HangHandshake, Reset, HangHeaders, HangBody, CutBody, Drip, Flood,
	} {
		faults = append(faults, NamedFault{Name: string(kind), Fault: Fault{Kind: kind}})
	}
	return faults
}

func uselessAnswers() []NamedFault {
	body := func(name, text string, of ...Service) NamedFault {
		return NamedFault{Name: name, Fault: Fault{Kind: Answer, Body: text}, Of: of}
	}
	sts := func(result string) string {
		return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>` + result + `</AssumeRoleResult></AssumeRoleResponse>`
	}
	ecr := func(datum string) string { return `{"authorizationData":[` + datum + `]}` }
	return []NamedFault{
		body("garbage", LeakMark+`{"<not an answer`),
		body("empty", ""),
		{Name: "502 of a proxy", Fault: Fault{Kind: Answer, Status: http.StatusBadGateway, Body: "<html>" + LeakMark}},
		{Name: "503 of a proxy", Fault: Fault{Kind: Answer, Status: http.StatusServiceUnavailable, Body: LeakMark}},
		{Name: "padded", Fault: Fault{Kind: Pad}, Of: []Service{STS, ECR, ECRPublic}},
		body("no credentials", sts(""), STS),
		body("empty credentials", sts("<Credentials></Credentials>"), STS),
		body("empty object", "{}", ECR),
		body("empty list", ecr(""), ECR),
		body("nil token", ecr(`{"expiresAt":4000000000}`), ECR),
		body("not base64", ecr(`{"authorizationToken":"`+LeakMark+`!","expiresAt":4000000000}`), ECR),
		body("no colon", ecr(`{"authorizationToken":"QVdT","expiresAt":4000000000}`), ECR),
		body("expired token", ecr(`{"authorizationToken":"QVdTOng=","expiresAt":1000000000}`), ECR),
		body("no expiry", ecr(`{"authorizationToken":"QVdTOng="}`), ECR),
	}
}

func apiErrors() []NamedFault {
	failure := func(name string, status int, code, message string) NamedFault {
		return NamedFault{Name: name, Fault: Fault{Kind: Error, Status: status, Code: code, Message: message}}
	}
	return []NamedFault{
		{Name: "throttled", Fault: Throttled(0)},
		{Name: "throttled 99 times", Fault: Throttled(99)},
		{Name: "broken", Fault: Broken(0)},
		failure("late", http.StatusRequestTimeout, "RequestTimeout", "late"),
		failure("expired", http.StatusForbidden, "ExpiredToken", "expired"),
		{Name: "denied", Fault: Denied(), Refuses: true},
		failure("invalid", http.StatusBadRequest, "ValidationError", "invalid"),
		failure("region off", http.StatusForbidden, "RegionDisabledException", "off"),
		failure("unknown key", http.StatusForbidden, "InvalidClientTokenId", "invalid"),
		failure("bad signature", http.StatusForbidden, "SignatureDoesNotMatch", LeakMark),
	}
}
