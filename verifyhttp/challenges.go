package verifyhttp

import (
	"net/http"
	"strings"

	"github.com/seed4eca3270/verify"
)

func challengeOperations() []operation {
	const challenges, challenge = inEntity + "/Challenges", inEntity + "/Challenges/{Sid}"
	return []operation{
		{"ListChallenge", http.MethodGet, challenges, http.StatusOK, listChallenges},
		{"CreateChallenge", http.MethodPost, challenges, http.StatusCreated, createChallenge},
		{"FetchChallenge", http.MethodGet, challenge, http.StatusOK, fetchChallenge},
		{"UpdateChallenge", http.MethodPost, challenge, http.StatusOK, updateChallenge},
	}
}

type challengeBody struct {
	SID             string            `json:"sid"`
	AccountSID      string            `json:"account_sid"`
	ServiceSID      string            `json:"service_sid"`
	EntitySID       string            `json:"entity_sid"`
	Identity        string            `json:"identity"`
	FactorSID       string            `json:"factor_sid"`
	DateCreated     date              `json:"date_created"`
	DateUpdated     date              `json:"date_updated"`
	DateResponded   date              `json:"date_responded"`
	ExpirationDate  date              `json:"expiration_date"`
	Status          verify.Status     `json:"status"`
	RespondedReason string            `json:"responded_reason"`
	Details         challengeDetails  `json:"details"`
	HiddenDetails   map[string]string `json:"hidden_details"`
	Metadata        map[string]string `json:"metadata"`
	FactorType      verify.FactorType `json:"factor_type"`
	URL             string            `json:"url"`
	Links           map[string]string `json:"links"`
}

type challengeDetails struct {
	Message string         `json:"message"`
	Fields  []verify.Field `json:"fields"`
}

func (c *call) challenge(ch verify.Challenge) challengeBody {
	own := c.url("Services", ch.ServiceSID, "Entities", ch.Identity, "Challenges", ch.SID)
	body := challengeBody{
		SID: ch.SID, AccountSID: ch.AccountSID, ServiceSID: ch.ServiceSID, EntitySID: ch.EntitySID,
		Identity: ch.Identity, FactorSID: ch.FactorSID,
		DateCreated: date(ch.DateCreated), DateUpdated: date(ch.DateUpdated),
		DateResponded: date(ch.DateResponded), ExpirationDate: date(ch.ExpirationDate),
		Status: ch.Status, RespondedReason: "none", // the only reason that Twilio was ever seen to give
		Details:       challengeDetails{ch.Details.Message, ch.Details.Fields},
		HiddenDetails: ch.HiddenDetails, Metadata: ch.Metadata, FactorType: ch.FactorType,
		URL: own, Links: map[string]string{"notifications": own + "/Notifications"},
	}
	if body.Details.Fields == nil {
		body.Details.Fields = []verify.Field{}
	}
	return body
}

func createChallenge(c *call) (any, error) {
	params := verify.ChallengeParams{
		FactorSID:      c.value("FactorSid"),
		AuthPayload:    c.value("AuthPayload"),
		ExpirationDate: c.date("ExpirationDate"),
		Details:        verify.Details{Message: c.value("Details.Message")},
		HiddenDetails:  c.object("HiddenDetails"),
	}
	for _, text := range c.form["Details.Fields"] {
		var field verify.Field
		c.json("Details.Fields", text, &field)
		params.Details.Fields = append(params.Details.Fields, field)
	}
	if c.broken != nil {
		return nil, c.broken
	}
	service, identity := c.owner()
	ch, err := c.engine.CreateChallenge(c.r.Context(), service, identity, params)
	if err != nil {
		return nil, err
	}
	return c.challenge(ch), nil
}

func listChallenges(c *call) (any, error) {
	p := c.paging()
	filter := verify.ChallengeFilter{
		FactorSID: c.value("FactorSid"),
		Status:    verify.Status(strings.ToLower(c.value("Status"))),
	}
	switch strings.ToLower(c.value("Order")) {
	case "", "asc":
	case "desc":
		filter.NewestFirst = true
	default:
		c.fault("Order", "want asc or desc")
	}
	if c.broken != nil {
		return nil, c.broken
	}
	service, identity := c.owner()
	page, err := c.engine.ListChallenges(c.r.Context(), service, identity, filter, p.params())
	if err != nil {
		return nil, err
	}
	return listing(c, "challenges", c.url("Services", service, "Entities", identity, "Challenges"), p, page, c.challenge), nil
}

func fetchChallenge(c *call) (any, error) {
	service, identity := c.owner()
	ch, err := c.engine.GetChallenge(c.r.Context(), service, identity, c.r.PathValue("Sid"))
	if err != nil {
		return nil, err
	}
	return c.challenge(ch), nil
}

func updateChallenge(c *call) (any, error) {
	response := verify.ChallengeResponse{AuthPayload: c.value("AuthPayload"), Metadata: c.object("Metadata")}
	if c.broken != nil {
		return nil, c.broken
	}
	service, identity := c.owner()
	ch, err := c.engine.RespondChallenge(c.r.Context(), service, identity, c.r.PathValue("Sid"), response)
	if err != nil {
		return nil, err
	}
	return c.challenge(ch), nil
}
