# Figures that tests/cohort holds this package to, from R's own packages.
# Rscript tests/qc/cohort_figures.R > tests/qc/cohort_figures.tsv     (from the repository's root)
suppressMessages({library(pROC); library(metafor); library(survival)})
d <- read.delim("tests/qc/cohort_figures_input.tsv")
cat("figure\tvalue\tcall\n")
put <- function(name, value, call) cat(name, "\t", sprintf("%.15g", as.numeric(value)), "\t", call, "\n", sep = "")

for (s in c("a", "b")) {
  r <- roc(d$positive, d[[s]], direction = "<", quiet = TRUE)
  put(paste0("auc_", s), auc(r), "pROC::auc")
  put(paste0("auc_var_", s), var(r, method = "delong"), "pROC::var(method='delong')")
  ci <- ci.auc(r, method = "delong")
  put(paste0("auc_low_", s), ci[1], "pROC::ci.auc(method='delong')")
  put(paste0("auc_high_", s), ci[3], "pROC::ci.auc(method='delong')")
}
ra <- roc(d$positive, d$a, direction = "<", quiet = TRUE)
rb <- roc(d$positive, d$b, direction = "<", quiet = TRUE)
t <- roc.test(ra, rb, method = "delong", paired = TRUE)
put("paired_z", t$statistic, "pROC::roc.test(a, b, paired=TRUE)")
put("paired_p", t$p.value, "pROC::roc.test(a, b, paired=TRUE)")

one <- d$a[d$positive == 1]
zero <- d$a[d$positive == 0]
g <- escalc("SMD", m1i = mean(one), m2i = mean(zero), sd1i = sd(one), sd2i = sd(zero),
            n1i = length(one), n2i = length(zero), vtype = "LS")
put("hedges_g", g$yi, "metafor::escalc('SMD')")
put("hedges_v", g$vi, "metafor::escalc('SMD', vtype='LS')")

y <- c(0.42, 1.31, -0.25, 0.88, 0.05, 0.61, 1.92)
v <- c(0.21, 0.35, 0.09, 0.12, 0.40, 0.06, 0.55)
tight <- list(threshold = 1e-13, maxiter = 1000)
for (m in c("DL", "REML")) for (how in c("z", "adhoc")) {
  r <- if (m == "DL") rma(y, v, method = m, test = how) else rma(y, v, method = m, test = how, control = tight)
  call <- sprintf("metafor::rma(method='%s', test='%s')", m, how)
  p <- predict(r)
  for (f in c("beta", "se", "ci.lb", "ci.ub", "pval", "tau2", "I2", "QE", "QEp"))
    put(paste("meta", m, how, f, sep = "_"), r[[f]], call)
  put(paste("meta", m, how, "pi.lb", sep = "_"), p$pi.lb, call)
  put(paste("meta", m, how, "pi.ub", sep = "_"), p$pi.ub, call)
}
l <- leave1out(rma(y, v, method = "DL"))
for (i in seq_along(y)) put(paste0("without_", i), l$estimate[i], "metafor::leave1out(rma(method='DL'))")

z <- (d$a - mean(d$a)) / sd(d$a)
f <- coxph(Surv(time, event) ~ z, data = d, ties = "efron", control = coxph.control(eps = 1e-12, toler.chol = 1e-13))
put("cox_beta", coef(f), "survival::coxph(ties='efron')")
put("cox_se", sqrt(vcov(f)), "survival::coxph(ties='efron')")
high <- d$a > median(d$a)
put("logrank_p", pchisq(survdiff(Surv(time, event) ~ high, data = d)$chisq, 1, lower.tail = FALSE), "survival::survdiff")
s <- summary(survfit(Surv(time, event) ~ 1, data = d, conf.type = "log-log"), times = 10)
put("km_10", s$surv, "survival::survfit(conf.type='log-log')")
put("km_10_low", s$lower, "survival::survfit(conf.type='log-log')")
put("km_10_high", s$upper, "survival::survfit(conf.type='log-log')")
put("km_10_risk", s$n.risk, "survival::survfit(conf.type='log-log')")
f <- glm(positive ~ z + b, family = binomial, data = d, control = glm.control(epsilon = 1e-14))
put("glm_beta", coef(f)[2], "stats::glm(binomial)")
put("glm_se", sqrt(vcov(f)[2, 2]), "stats::glm(binomial)")
cat("# R ", as.character(getRversion()), ", pROC ", as.character(packageVersion("pROC")), ", metafor ",
    as.character(packageVersion("metafor")), ", survival ", as.character(packageVersion("survival")), "\n", sep = "")
