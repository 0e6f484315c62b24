package verifyhttp

import (
	"net/http"

	"github.com/seed4eca3270/verify"
)

func factorOperations() []operation {
	const factors, factor = inEntity + "/Factors", inEntity + "/Factors/{Sid}"
	return []operation{
		{"ListFactor", http.MethodGet, factors, http.StatusOK, listFactors},
		{"CreateNewFactor", http.MethodPost, factors, http.StatusCreated, createFactor},
		{"FetchFactor", http.MethodGet, factor, http.StatusOK, fetchFactor},
		{"UpdateFactor", http.MethodPost, factor, http.StatusOK, updateFactor},
		{"DeleteFactor", http.MethodDelete, factor, http.StatusNoContent, deleteFactor},
	}
}

type factorBody struct {
	SID          string            `json:"sid"`
	AccountSID   string            `json:"account_sid"`
	ServiceSID   string            `json:"service_sid"`
	EntitySID    string            `json:"entity_sid"`
	Identity     string            `json:"identity"`
	DateCreated  date              `json:"date_created"`
	DateUpdated  date              `json:"date_updated"`
	FriendlyName string            `json:"friendly_name"`
	Status       verify.Status     `json:"status"`
	FactorType   verify.FactorType `json:"factor_type"`
	Config       factorConfig      `json:"config"`
	Metadata     map[string]string `json:"metadata"`
	URL          string            `json:"url"`
}

type factorConfig struct {
	Alg        string `json:"alg"`
	Skew       int    `json:"skew"`
	CodeLength int    `json:"code_length"`
	TimeStep   int    `json:"time_step"`
}

// A newFactorBody is the one answer that shows the secret.
type newFactorBody struct {
	factorBody
	Binding factorBinding `json:"binding"`
	Options any           `json:"options"` // of passkeys; null for others
}

type factorBinding struct {
	Secret string `json:"secret"`
	URI    string `json:"uri"`
}

func (c *call) factor(f verify.Factor) factorBody {
	return factorBody{
		SID: f.SID, AccountSID: f.AccountSID, ServiceSID: f.ServiceSID, EntitySID: f.EntitySID, Identity: f.Identity,
		DateCreated: date(f.DateCreated), DateUpdated: date(f.DateUpdated),
		FriendlyName: f.FriendlyName, Status: f.Status, FactorType: f.FactorType,
		Config:   factorConfig{f.TOTP.Alg, f.TOTP.Skew, f.TOTP.CodeLength, f.TOTP.TimeStep},
		Metadata: f.Metadata,
		URL:      c.url("Services", f.ServiceSID, "Entities", f.Identity, "Factors", f.SID),
	}
}

func createFactor(c *call) (any, error) {
	params := verify.FactorParams{
		FriendlyName: c.value("FriendlyName"),
		TOTP: &verify.TOTPParams{
			Secret:     c.value("Binding.Secret"),
			Alg:        c.value("Config.Alg"),
			TimeStep:   or(c.positive("Config.TimeStep")),
			CodeLength: or(c.positive("Config.CodeLength")),
			Skew:       c.number("Config.Skew"),
		},
		Metadata: c.object("Metadata"),
	}
	switch kind := c.value("FactorType"); {
	case c.broken != nil:
		return nil, c.broken
	case kind == "":
		return nil, missing("FactorType")
	case kind == "push":
		return nil, &verify.Error{Code: verify.CodeNotFound, Param: "FactorType", Message: "push factors are not built yet", Err: verify.ErrNotFound}
	case kind != string(verify.TOTP):
		return nil, &verify.Error{Code: verify.CodeInvalidRequest, Param: "FactorType", Message: "Invalid parameter: FactorType", Err: verify.ErrInvalid}
	}
	service, identity := c.owner()
	create := func() (verify.Factor, error) {
		return c.engine.CreateFactor(c.r.Context(), service, identity, params)
	}
	isNew, err := c.isNewEntity()
	if err != nil {
		return nil, err
	}
	var f verify.Factor
	if isNew {
		f, err = makeEntity(c, create)
	} else {
		f, err = create()
	}
	if err != nil {
		return nil, err
	}
	return newFactorBody{factorBody: c.factor(f), Binding: factorBinding{f.Binding.Secret, f.Binding.URI}}, nil
}

func missing(key string) error {
	return &verify.Error{
		Code: verify.CodeMissingParameter, Param: key, Err: verify.ErrInvalid,
		Message: "Missing required parameter " + key,
	}
}

func listFactors(c *call) (any, error) {
	p := c.paging()
	if c.broken != nil {
		return nil, c.broken
	}
	service, identity := c.owner()
	page, err := c.engine.ListFactors(c.r.Context(), service, identity, p.params())
	if err != nil {
		return nil, err
	}
	return listing(c, "factors", c.url("Services", service, "Entities", identity, "Factors"), p, page, c.factor), nil
}

func fetchFactor(c *call) (any, error) {
	service, identity := c.owner()
	f, err := c.engine.GetFactor(c.r.Context(), service, identity, c.r.PathValue("Sid"))
	if err != nil {
		return nil, err
	}
	return c.factor(f), nil
}

// updateFactor verifies with an AuthPayload, changes with anything else, and does
// both if given both, the code first.
func updateFactor(c *call) (any, error) {
	update := verify.FactorUpdate{
		FriendlyName: c.text("FriendlyName"),
		Alg:          c.text("Config.Alg"),
		TimeStep:     c.number("Config.TimeStep"),
		CodeLength:   c.number("Config.CodeLength"),
		Skew:         c.number("Config.Skew"),
	}
	payload := c.text("AuthPayload")
	if c.broken != nil {
		return nil, c.broken
	}
	service, identity := c.owner()
	sid := c.r.PathValue("Sid")
	var f verify.Factor
	var err error
	if payload != nil {
		if f, err = c.engine.VerifyFactor(c.r.Context(), service, identity, sid, *payload); err != nil {
			return nil, err
		}
	}
	if payload == nil || update != (verify.FactorUpdate{}) {
		if f, err = c.engine.UpdateFactor(c.r.Context(), service, identity, sid, update); err != nil {
			return nil, err
		}
	}
	return c.factor(f), nil
}

func deleteFactor(c *call) (any, error) {
	service, identity := c.owner()
	return nil, c.engine.DeleteFactor(c.r.Context(), service, identity, c.r.PathValue("Sid"))
}
