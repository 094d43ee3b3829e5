# Figures that tests/test_differential.py holds this package to, from limma and DESeq2.
# Rscript tests/qc/moderated_figures.R     (from the repository's root; writes the tables beside it)
# The input is made here too: 60 genes, 14 samples, a covariate, correlated genes in the first set.
suppressMessages(library(limma))
set.seed(8)
n <- 14; G <- 60
responder <- rep(0:1, each = n / 2)
purity <- round(rnorm(n), 3)
shared <- rnorm(n)
y <- matrix(rnorm(G * n), G) * sqrt(0.3 * 4 / rchisq(G, 4)) + 5
y[1:10, ] <- y[1:10, ] + outer(rep(0.8, 10), shared)
y[1:15, ] <- y[1:15, ] + outer(seq(1.5, 0.1, length.out = 15), responder)
y[30:60, ] <- y[30:60, ] + outer(rep(0.4, 31), purity)
y <- round(y, 4)
dimnames(y) <- list(sprintf("G%02d", 1:G), sprintf("P%02d", 1:n))
out <- function(x, name) write.table(x, file.path("tests/qc", name), sep = "\t", quote = FALSE, row.names = FALSE)
out(data.frame(patient = colnames(y), responder, purity, t(y)), "moderated_input.tsv")

design <- cbind(intercept = 1, responder = responder, purity = purity)
fit <- eBayes(lmFit(y, design))
t <- topTable(fit, coef = "responder", number = Inf, sort.by = "none", confint = TRUE)
digits <- function(x) sprintf("%.15g", x)
out(data.frame(gene = rownames(t), estimate = digits(t$logFC), low = digits(t$CI.L), high = digits(t$CI.R),
               statistic = digits(t$t), p = digits(t$P.Value), q = digits(t$adj.P.Val)), "moderated_genes.tsv")

figures <- data.frame(figure = character(), value = character(), call = character())
put <- function(name, value, call) figures[nrow(figures) + 1, ] <<- c(name, digits(value), call)
put("prior_df", fit$df.prior, "limma::eBayes(lmFit(y, design))$df.prior")
put("prior_variance", fit$s2.prior, "limma::eBayes(lmFit(y, design))$s2.prior")
even <- rep(c(0.9, 1, 1.1), 20) # less spread than sampling alone would make
put("even_prior_df", fitFDist(even, 11)$df2, "limma::fitFDist(rep(c(0.9, 1, 1.1), 20), 11)$df2")
put("even_prior_variance", fitFDist(even, 11)$scale, "limma::fitFDist(rep(c(0.9, 1, 1.1), 20), 11)$scale")
sets <- list(first = 1:10, mixed = c(5, 20, 25, 40, 50), last = 41:60)
for (s in names(sets)) {
  put(paste0("correlation_", s), interGeneCorrelation(y[sets[[s]], ], design)$correlation, "limma::interGeneCorrelation(y[set, ], design)")
  put(paste0("camera_", s), camera(y, sets[[s]], design, contrast = 2, inter.gene.cor = NA)$PValue, "limma::camera(y, set, design, contrast = 2, inter.gene.cor = NA)")
}
out(figures, "moderated_figures.tsv")

# Reads, for PyDESeq2: 200 genes, the same patients and covariate.
suppressMessages(library(DESeq2))
mean <- 2^runif(200, 4, 11)
fold <- c(rep(3, 15), rep(1 / 3, 15), rep(1, 170))
mu <- outer(mean, 2^rnorm(n, 0, 0.4)) * outer(fold, responder, "^") * 2^outer(rnorm(200, 0, 0.3), purity)
k <- matrix(rnbinom(200 * n, mu = mu, size = 1 / (0.05 + 2 / mean)), 200)
k[40, 3] <- 60000 # an outlier, which is replaced
dimnames(k) <- list(sprintf("G%03d", 1:200), colnames(y))
out(data.frame(gene = rownames(k), k), "moderated_reads.tsv")
data <- DESeqDataSetFromMatrix(k, data.frame(responder, purity, row.names = colnames(k)), ~ purity + responder)
r <- results(DESeq(data, quiet = TRUE), name = "responder", independentFiltering = FALSE)
out(data.frame(gene = rownames(r), mean = digits(r$baseMean), estimate = digits(r$log2FoldChange), se = digits(r$lfcSE),
               statistic = digits(r$stat), p = digits(r$pvalue)), "moderated_reads_genes.tsv")
cat("# R ", as.character(getRversion()), ", limma ", as.character(packageVersion("limma")), ", DESeq2 ",
    as.character(packageVersion("DESeq2")), "\n", sep = "", file = "tests/qc/moderated_figures.tsv", append = TRUE)
